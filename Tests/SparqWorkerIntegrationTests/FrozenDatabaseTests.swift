import SparqPostgres
import SparqWire
import SparqWorker
import Testing

/// All database connections of a worker freeze without a word; new ones work.
@Suite(.timeLimit(.minutes(2))) struct FrozenDatabaseTests {
    @Test(arguments: [Duration.zero, .seconds(2)]) func theServiceIsBackSoonAndNothingHappensTwice(idle: Duration) async throws {
        try await Stack.with { stack in
            let (postgres, database) = try stack.postgresThroughProxy()
            defer { database.close() }
            var router = Router.posting
            router.onTransaction("change", Post.self) { message, _, transaction in
                try await transaction.query("SELECT pg_sleep(0.02)")
                return [.append(to: Topic(rawValue: message.topic), Note(n: message.n))]
            }
            let node = try await stack.node()
            try await stack.worker(router) { $0.postgres = postgres }
            func send(_ numbers: ClosedRange<Int>) async throws {
                for number in numbers {
                    let fields = #"{"topic":"room:\#(number % 3)","n":\#(number)}"#
                    // Fewer transactions than may wait for a connection.
                    try await stack.send([
                        envelope(number % 4 > 0 ? "post" : "change", fields, connection: "c\(number)", user: "u\(number)", id: "m")
                    ])
                }
            }
            try await send(1...100)
            if idle > .zero {
                try await node.wait(dones: 100)
                try await Task.sleep(for: idle)
            }
            database.freezeThoseThatExist()
            let start = ContinuousClock.now
            try await send(101...200)
            try await stack.send([lease([])])
            try await node.wait(for: "all answers and the lease") { $0.dones.count >= 200 && !$0.leases.isEmpty }
            let pause = ContinuousClock.now - start
            print("frozen database connections: all was answered after \(pause)")
            #expect(pause < .seconds(15), "\(pause)")
            #expect(node.dones.allSatisfy { $0.reply?.text.contains(#""ok":true"#) == true })
            #expect(try await stack.count("SELECT count(*) FROM events") == 200)
            #expect(try await stack.deadLetters().isEmpty)
        }
    }
}
