/// Which functions to replace, given what a database has recorded. A pure value.
///
/// Two counts say which of two versions is newer: the last migration, and the revision of the functions. Files that are behind the database in either
/// leave its functions alone: a newer version's workers need them, and have them work for older ones too. So the order in which versions start does
/// not matter. Under one revision there is one text.
struct FunctionPlan {
    /// What a database has recorded of one file.
    struct Record: Hashable {
        let name: String
        let checksum: String
        /// The latest revision that had this text.
        let revision: Int
        /// Whether the database still has all functions that the file made.
        let isThere: Bool
    }

    let functions: [FunctionFile]
    let revision: Int
    private let checksums: [String]
    private let records: [Record]
    /// Whether a newer version has made the database's functions.
    let isBehind: Bool

    /// - Parameters:
    ///   - checksums: One for each of the functions.
    ///   - isMigrationBehind: Whether the database has later migrations than the files.
    init(functions: [FunctionFile], checksums: [String], revision: Int, records: [Record], isMigrationBehind: Bool) {
        self.functions = functions
        self.checksums = checksums
        self.revision = revision
        self.records = records
        isBehind = isMigrationBehind || records.contains { $0.revision > revision }
    }

    func statuses() -> [FunctionStatus] {
        var byName = Dictionary(records.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var statuses = zip(functions, checksums).map { function, checksum in
            FunctionStatus(name: function.name, state: state(checksum, byName.removeValue(forKey: function.name)))
        }
        // Of an older revision: it stays for older workers.
        let others = byName.values.filter { $0.revision >= revision }
        statuses += others.map { FunctionStatus(name: $0.name, state: isBehind ? .newer : .edited) }
        return statuses.sorted { $0.name < $1.name }
    }

    private func state(_ checksum: String, _ record: Record?) -> FunctionStatus.State {
        if isBehind { return .newer }
        guard let record else { return .pending }
        if record.checksum != checksum { return record.revision == revision ? .edited : .pending }
        return record.isThere ? .applied : .gone
    }

    /// The functions to make or to replace, in order.
    func pending() throws(PostgresError) -> [(function: FunctionFile, isGone: Bool)] {
        let states = Dictionary(statuses().map { ($0.name, $0.state) }, uniquingKeysWith: { first, _ in first })
        if let edited = states.filter({ $0.value == .edited }).keys.min() {
            throw MigrationPlan.error(
                "\(edited).sql",
                "the database has revision \(revision) of the functions, in which this file was another; a change needs a new revision"
            )
        }
        return functions.compactMap { function in
            switch states[function.name] {
            case .pending: (function: function, isGone: false)
            case .gone: (function: function, isGone: true)
            case .applied, .edited, .newer, nil: nil
            }
        }
    }

    /// Whether the database has to hear of a new revision, also where no text has changed.
    var isNew: Bool { !isBehind && !records.contains { $0.revision == revision } }
}

/// Where one function's file stands in a database.
public struct FunctionStatus: Sendable, Hashable {
    /// What can be said of a function's file.
    public enum State: String, Sendable, Hashable {
        /// The database has its text.
        case applied
        /// The database has an older text, or none.
        case pending
        /// Recorded with this text, but the function is no longer in the database.
        case gone
        /// Recorded with another text, or not among the files, under the same revision.
        case edited
        /// A newer version has made the database's functions.
        case newer
    }

    /// The function's name.
    public let name: String
    /// Where its file stands.
    public let state: State
}
