import SparqAMQP
import SparqPostgres
import SparqWire
import SparqWorker
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct StandstillTests {
    /// The server ends its session, so that its locks are nobody's trouble; trying it for ever would not help.
    @Test func aTransactionThatStandsStillIsItsMessagesOwnFailure() async throws {
        try await Stack.with { stack in
            let attempts = Mutex<[Int]>([])
            var router = Router.posting
            router.onTransaction("stall", RawMessage.self) { _, context, transaction in
                attempts.withLock { $0.append(context.attempt) }
                let session = try await transaction.query("SELECT pg_backend_pid()")[0].decode(Int32.self)
                let isThere = "SELECT count(*) FROM pg_stat_activity WHERE pid = \(session)"
                while try await stack.count(isThere) > 0 { try await Task.sleep(for: .milliseconds(5)) }
                return [.append(to: .room("a"), Note(n: 1))]
            }
            let node = try await stack.node()
            let worker = try await stack.worker(router) { $0.postgres.idleInTransactionTimeout = .milliseconds(50) }
            try await stack.send([envelope("stall", "{}", id: "m")])
            try await node.wait(dones: 1)
            #expect(attempts.withLock { $0 } == [1, 2, 3])
            #expect(node.dones.first?.reply?.text.contains(#""code":"internal""#) == true)
            await worker.shutDown()
            let letters = try await stack.deadLetters()
            #expect(letters.first?.headers["reason"]?.stringValue?.contains("25P03") == true && letters.count == 1)
            #expect(try await stack.count("SELECT count(*) FROM events") == 0)
        }
    }
}
