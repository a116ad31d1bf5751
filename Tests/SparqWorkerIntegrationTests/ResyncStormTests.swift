import Foundation
import SparqPostgres
import SparqWire
import SparqWorker
import Synchronization
import Testing

/// Fronts with many topics come back at once. `SPARQ_TEST_STORM=500000 FILTER=ResyncStorm make test` does it with as many topics, and prints
/// how long it took.
@Suite(.timeLimit(.minutes(9))) struct ResyncStormTests {
    private static let fronts = 4
    private static let topics = ProcessInfo.processInfo.environment["SPARQ_TEST_STORM"].flatMap { Int($0) } ?? 20_000
    private static let isLong = topics > 100_000

    @Test func manyTopicsComeBackAtOnceAndNoNodeIsReaped() async throws {
        try await Stack.with { stack in
            let lost = Mutex<[String]>([])
            var router = Router.posting
            router.onNodeLost { node, _, _ in
                lost.withLock { $0.append(node) }
                return []
            }
            let lease: Duration = Self.isLong ? .seconds(15) : .seconds(3)
            try await stack.worker(router) {
                $0.leaseDuration = lease
                $0.reapInterval = .milliseconds(500)
            }
            try await stack.send([post("room:page", 1, id: "m1")])
            var nodes: [StormNode] = []
            for front in 0..<Self.fronts {
                let node = StormNode(id: "f\(front)", stack: stack)
                await node.start(lease: lease)
                nodes.append(node)
            }
            let first = ContinuousClock.now
            for (front, node) in nodes.enumerated() {
                await node.subscribe((0..<Self.topics / Self.fronts).map { "room:\(front)-\($0)" })
            }
            try await Self.settled(nodes)
            let rows = try await stack.count("SELECT count(*) FROM directory")
            #expect(rows == Self.topics)
            report("\(Self.topics) topics of \(Self.fronts) fronts joined", .now - first, nodes: "", wal: nil)

            let places = try await Self.places(stack)
            let before = try await stack.count("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
            let asked = await Self.asked(nodes)
            let start = ContinuousClock.now
            for node in nodes { await node.comeBack() }
            try await Self.settled(nodes) { await nodes[0].read("room:page") }
            let time = ContinuousClock.now - start
            let wal = try await stack.count("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint") - before
            var slowest: (lease: Duration, read: Duration) = (.zero, .zero)
            for node in nodes {
                slowest.lease = max(slowest.lease, await node.slowestLease)
                slowest.read = max(slowest.read, await node.slowestRead)
            }
            let repeats = await Self.asked(nodes) - asked - Self.topics
            report(
                "they came back",
                time,
                nodes: "slowest lease \(slowest.lease), slowest page \(slowest.read), asked again \(repeats), lost \(lost.withLock { $0 })",
                wal: wal
            )
            #expect(lost.withLock { $0 }.isEmpty)
            #expect(try await stack.count("SELECT count(*) FROM directory") == Self.topics)
            #expect(try await stack.count("SELECT count(*) FROM nodes WHERE expires_at > now()") == Self.fronts)
            // Not a row is written anew, and nothing is asked twice.
            #expect(try await Self.places(stack) == places)
            #expect(repeats == 0)
            #expect(slowest.lease < lease && slowest.read < lease)
            for node in nodes {
                #expect(await node.resyncs <= 1)
                await node.stop()
            }
        }
    }

    /// Of each row of the directory where it lies and who wrote it. The log of the whole server has hint bits and vacuum in it too.
    private static func places(_ stack: Stack) async throws -> String {
        let rows = "SELECT md5(string_agg(ctid::text || ' ' || xmin, ',' ORDER BY topic, node)) FROM directory"
        return try #require(try await stack.pool.query(rows).first).decode(String.self)
    }

    private static func asked(_ nodes: [StormNode]) async -> Int {
        var asked = 0
        for node in nodes { asked += await node.asked }
        return asked
    }

    /// Until every question has its answer.
    private static func settled(_ nodes: [StormNode], meanwhile: () async -> Void = {}) async throws {
        for node in nodes {
            while await !node.isSettled {
                await meanwhile()
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private func report(_ what: String, _ time: Duration, nodes: String, wal: Int?) {
        let figures = "\(what): \(time.formatted(.units(allowed: [.milliseconds]))), \(nodes)" + (wal.map { ", WAL \($0) bytes" } ?? "")
        if Self.isLong { print(figures) }
    }
}
