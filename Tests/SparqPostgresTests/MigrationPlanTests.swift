import Testing

@testable import SparqPostgres

@Suite struct MigrationPlanTests {
    private func migration(_ version: Int, _ name: String = "x") -> Migration {
        Migration(version: version, name: name, file: "\(version)_\(name).sql", sql: "")
    }

    private func plan(_ files: [Int], applied: [(Int, String)]) -> MigrationPlan {
        MigrationPlan(
            migrations: files.map { migration($0) },
            checksums: files.map { "c\($0)" },
            records: applied.map { .init(version: $0.0, name: "x", checksum: $0.1, appliedAt: PostgresTimestamp(microseconds: 0)) }
        )
    }

    @Test func theRestIsPending() throws {
        #expect(try plan([1, 2, 3], applied: [(1, "c1")]).pending().map(\.version) == [2, 3])
        #expect(try plan([1], applied: [(1, "c1")]).pending().isEmpty)
    }

    @Test(arguments: [
        ([1, 2], [(1, "other")], "1_x.sql", MigrationStatus.State.edited), ([], [(1, "c1")], "1_x.sql", .missing),
        ([1, 2], [(2, "c2")], "1_x.sql", .skipped),
    ])
    func whatDoesNotFitIsRefused(files: [Int], applied: [(Int, String)], file: String, state: MigrationStatus.State) throws {
        let plan = plan(files, applied: applied)
        let error = try #require(throws: PostgresError.self) { _ = try plan.pending() }
        #expect(error.code == .migration && error.file == file)
        #expect(plan.statuses().contains { $0.state == state })
    }

    /// A binary of before, and its files, with a database that a newer one has migrated.
    @Test func whatANewerVersionAppliedIsItsOwnBusiness() throws {
        let plan = plan([1, 2], applied: [(1, "c1"), (2, "c2"), (3, "c3"), (7, "c7")])
        #expect(try plan.pending().isEmpty)
        #expect(plan.statuses().map(\.state) == [.applied, .applied, .newer, .newer])
        // But not beside a hole, or an edited file.
        #expect(throws: PostgresError.self) { _ = try self.plan([1, 2], applied: [(1, "c1"), (3, "c3")]).pending() }
        #expect(throws: PostgresError.self) { _ = try self.plan([1], applied: [(1, "other"), (2, "c2")]).pending() }
    }

    @Test func numbersCountFromOneWithoutGapsAndDuplicates() throws {
        #expect(try MigrationPlan.ordered([migration(2), migration(1)]).map(\.version) == [1, 2])
        let duplicate = try #require(throws: PostgresError.self) {
            _ = try MigrationPlan.ordered([migration(1, "a"), migration(1, "b")])
        }
        #expect(duplicate.file == "1_b.sql")
        let gap = try #require(throws: PostgresError.self) { _ = try MigrationPlan.ordered([migration(1), migration(3)]) }
        #expect(gap.file == "3_x.sql")
    }
}
