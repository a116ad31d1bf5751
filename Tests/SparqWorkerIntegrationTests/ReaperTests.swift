import SparqAMQP
import SparqPostgres
import SparqWire
import SparqWorker
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct ReaperTests {
    private struct Broken: Error {}

    private static func reap(_ configuration: inout WorkerConfiguration) {
        configuration.leaseDuration = .seconds(1)
        configuration.reapInterval = .milliseconds(50)
    }

    /// Says of each lost node that it is lost; of some it cannot.
    private static func router(failingFor broken: String? = nil, _ calls: Counter = Counter()) -> Router {
        var router = Router.posting
        router.onNodeLost { node, _, _ in
            if node == broken {
                calls.add()
                throw Broken()
            }
            return [.append(to: .room("lost"), Note(n: Int(node.dropFirst(4)) ?? 0))]
        }
        return router
    }

    final class Counter: Sendable {
        private let state = Mutex(0)
        var value: Int { state.withLock { $0 } }
        func add() { state.withLock { $0 += 1 } }
    }

    @Test func aNodeWhoseHandlerFailsHoldsUpNoOther() async throws {
        try await Stack.with { stack in
            // The failing one comes first, by its age.
            try await stack.pool.query(
                "INSERT INTO nodes (node, expires_at) SELECT 'dead' || n, now() - (10 - n) * '1 s'::interval FROM generate_series(1, 5) n"
            )
            try await stack.pool.query("INSERT INTO directory SELECT 'room:x', 'dead' || n, 1, 1 FROM generate_series(1, 5) n")
            let (calls, log) = (Counter(), LogLines())
            try await stack.worker(Self.router(failingFor: "dead1", calls), log: log, Self.reap)
            while try await stack.count("SELECT count(*) FROM nodes") > 0 { try await Task.sleep(for: .milliseconds(5)) }
            let told = try await stack.pool.query("SELECT data FROM events").map { try $0.decode(String.self) }
            #expect(told.sorted() == (2...5).map { #"{"n":\#($0)}"# })
            #expect(calls.value == 3)
            #expect(log.count("its loss is not announced") == 1)
            #expect(try await stack.count("SELECT count(*) FROM directory") == 0)
        }
    }

    /// The worker has committed, and dies before the broker has anything of it.
    @Test func anotherAnnouncesWhatADeadWorkerCouldNot() async throws {
        try await Stack.with { stack in
            let broker = try Proxy(to: stack.amqp.hosts[0].port)
            defer { broker.close() }
            let node = try await stack.node()
            let worker = try await stack.worker(Self.router()) {
                Self.reap(&$0)
                $0.amqp = stack.amqp(through: broker)
            }
            try await stack.pool.query("INSERT INTO nodes (node, expires_at) VALUES ('n1', now() + '1 hour'::interval)")
            try await stack.send([sync(["room:lost": 0], version: 1)])
            try await node.wait(for: "the page") { !$0.pages.isEmpty }
            broker.freeze(.toBroker)
            try await stack.pool.query("INSERT INTO nodes (node, expires_at) VALUES ('dead7', now())")
            while try await stack.count("SELECT count(*) FROM events") == 0 { try await Task.sleep(for: .milliseconds(5)) }
            broker.refuse(true)
            broker.cut()
            await worker.kill()
            #expect(node.events.isEmpty)
            try await stack.worker(Self.router(), Self.reap)
            try await node.wait(for: "the event") { !$0.events.isEmpty }
            #expect(node.events.first?.seq == 1 && node.events.first?.body.text.contains(#""data":{"n":7}"#) == true)
            while try await stack.count("SELECT count(*) FROM losses WHERE NOT announced") > 0 {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
        }
    }

    /// A look that took so long may have slept through renewals, which are heard first.
    @Test func aLookThatStoodStillRemovesNobody() async throws {
        try await Stack.with { stack in
            let log = LogLines()
            try await stack.worker(Self.router(), log: log, Self.reap)
            try await stack.pool.query("INSERT INTO nodes (node, expires_at) VALUES ('dead1', now() + '1 hour'::interval)")
            try await stack.pool.query("INSERT INTO directory VALUES ('room:x', 'dead1', 1, 1)")
            try await stack.pool.transaction { transaction in
                try await transaction.query("SELECT FROM directory FOR UPDATE")
                try await stack.pool.query("UPDATE nodes SET expires_at = now()")
                try await stack.someoneWaits()
                try await Task.sleep(for: .milliseconds(400))
            }
            try await log.reached(1, "stood still")
            while try await stack.count("SELECT count(*) FROM nodes") > 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
        }
    }
}
