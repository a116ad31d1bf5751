/// Which statements a connection has prepared, by text and parameter types; bounded, the least recently used one goes.
///
/// A pure value: what it evicts must be deallocated on the server by its owner.
struct StatementCache {
    struct Key: Hashable {
        let sql: String
        let types: [UInt32]
    }

    private struct Entry {
        let name: String
        var used: UInt64
    }

    private let capacity: Int
    private let prefix: String
    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0
    /// Names that the server still holds and nobody needs.
    private(set) var evicted: [String] = []

    /// - Parameter prefix: What all names begin with. Behind a pooler sessions are shared: a name of its own is never another one's statement.
    init(capacity: Int, prefix: String = "s") {
        self.capacity = capacity
        self.prefix = prefix
    }

    var count: Int { entries.count }

    /// The name of a statement that is prepared already.
    mutating func name(for key: Key) -> String? {
        guard let index = entries.index(forKey: key) else { return nil }
        clock += 1
        entries.values[index].used = clock
        return entries.values[index].name
    }

    /// A new name for a statement that is about to be prepared.
    mutating func insert(_ key: Key) -> String {
        if entries.count >= capacity, let oldest = entries.min(by: { $0.value.used < $1.value.used }) {
            entries[oldest.key] = nil
            evicted.append(oldest.value.name)
        }
        clock += 1
        let name = "\(prefix)\(clock)"
        entries[key] = Entry(name: name, used: clock)
        return name
    }

    /// Forgets a statement; `isOnServer` says whether the server has it, so that it has to be deallocated.
    mutating func remove(_ key: Key, isOnServer: Bool) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        if isOnServer { evicted.append(entry.name) }
    }

    /// The server has let go of this name.
    mutating func deallocated(_ name: String) {
        evicted.removeAll { $0 == name }
    }
}
