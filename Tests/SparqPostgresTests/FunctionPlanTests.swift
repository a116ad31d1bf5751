import Testing

@testable import SparqPostgres

@Suite struct FunctionPlanTests {
    private typealias Record = FunctionPlan.Record

    /// Files `a` and `b`, with the checksums `a1` and `b1`.
    private func plan(revision: Int, _ records: [Record], isMigrationBehind: Bool = false) -> FunctionPlan {
        FunctionPlan(
            functions: ["a", "b"].map { FunctionFile(name: $0, sql: "") },
            checksums: ["a1", "b1"],
            revision: revision,
            records: records,
            isMigrationBehind: isMigrationBehind
        )
    }

    private func record(_ name: String, _ checksum: String, _ revision: Int, isThere: Bool = true) -> Record {
        Record(name: name, checksum: checksum, revision: revision, isThere: isThere)
    }

    private func pending(_ plan: FunctionPlan) throws -> [String] { try plan.pending().map(\.function.name) }

    @Test func onlyWhatHasAnotherTextIsReplaced() throws {
        #expect(try pending(plan(revision: 1, [])) == ["a", "b"])
        #expect(try pending(plan(revision: 2, [record("a", "a1", 1), record("b", "b0", 1)])) == ["b"])
        let done = plan(revision: 2, [record("a", "a1", 2), record("b", "b1", 2)])
        #expect(try pending(done).isEmpty && !done.isNew && done.statuses().map(\.state) == [.applied, .applied])
    }

    @Test func aRevisionWithoutANewTextIsNoted() throws {
        // A file was removed: its function stays for older workers.
        let plan = plan(revision: 2, [record("a", "a1", 1), record("b", "b1", 1), record("c", "c1", 1)])
        #expect(try pending(plan).isEmpty && plan.isNew && plan.statuses().map(\.name) == ["a", "b"])
    }

    @Test func filesThatAreBehindLeaveAllAlone() throws {
        let newer = [record("a", "a2", 3), record("b", "b1", 3), record("c", "c1", 3)]
        let byRevision = plan(revision: 2, newer)
        #expect(try pending(byRevision).isEmpty && byRevision.isBehind && !byRevision.isNew)
        #expect(byRevision.statuses().map(\.state) == [.newer, .newer, .newer])
        // Also what is lost, or was never there: the newer version's text is not among these files.
        #expect(try pending(plan(revision: 2, [record("a", "a1", 3, isThere: false)])).isEmpty)
        let byMigration = plan(revision: 2, [record("a", "a0", 1)], isMigrationBehind: true)
        #expect(try pending(byMigration).isEmpty && byMigration.isBehind && !byMigration.isNew)
    }

    @Test func whatIsGoneIsMadeAgain() throws {
        let plan = plan(revision: 1, [record("a", "a1", 1, isThere: false), record("b", "b1", 1)])
        let pending = try plan.pending()
        #expect(pending.map(\.function.name) == ["a"] && pending.map(\.isGone) == [true])
        #expect(plan.statuses().map(\.state) == [.gone, .applied])
    }

    @Test(arguments: [("b", "b2"), ("c", "c1")])
    func underOneRevisionThereIsOneText(name: String, checksum: String) throws {
        let plan = plan(revision: 1, [record("a", "a1", 1), record(name, checksum, 1)])
        let error = try #require(throws: PostgresError.self) { _ = try plan.pending() }
        #expect(error.code == .migration && error.file == "\(name).sql")
        #expect(plan.statuses().contains { $0.name == name && $0.state == .edited })
    }

    @Test func revisionsCountFromOne() throws {
        let digest = String(repeating: "0", count: 64)
        #expect(try FunctionFolder.revision("1 \(digest)\n2 \(digest)\n").number == 2)
        for text in ["", "2 \(digest)", "1 \(digest)\n1 \(digest)", "1 \(digest)\n3 \(digest)", "1 00", "one \(digest)"] {
            let error = #expect(throws: PostgresError.self) { _ = try FunctionFolder.revision(text) }
            #expect(error?.code == .migration && error?.file == "REVISION")
        }
    }
}
