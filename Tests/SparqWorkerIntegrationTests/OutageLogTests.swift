import SparqPostgres
import SparqWire
import SparqWorker
import Testing

/// What an operator reads while something is away.
@Suite(.timeLimit(.minutes(2))) struct OutageLogTests {
    @Test func anOutageOfTheDatabaseUnderLoadIsAFewLines() async throws {
        try await Stack.with { stack in
            let (postgres, database) = try stack.postgresThroughProxy()
            defer { database.close() }
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.worker(.posting, log: log) {
                $0.postgres = postgres
                $0.postgres.acquireTimeout = .milliseconds(100)
                $0.reapInterval = .milliseconds(100)
                $0.leaseDuration = .seconds(1)
                $0.retentionInterval = .milliseconds(200)
            }
            func send(_ numbers: ClosedRange<Int>) async throws {
                for number in numbers {
                    try await stack.send([post("room:a", number, connection: "c\(number)", user: "u\(number)", id: "m")])
                }
            }
            // All connections are open.
            try await send(1...100)
            try await node.wait(dones: 100)
            let before = log.told.count
            database.refuse(true)
            database.cut()
            for part in 0..<20 {
                try await send((101 + part * 10)...(110 + part * 10))
                try await Task.sleep(for: .milliseconds(200))
            }
            let during = log.told.dropFirst(before)
            // Of two pools: a connection was lost, the database is unreachable. And: trouble, dead nodes, old rows.
            #expect(during.count <= 7, "\(during.joined(separator: "\n"))")
            #expect(during.contains { $0.contains("the database is unreachable") && $0.contains("error") })
            database.refuse(false)
            try await node.wait(dones: 300)
            // Somebody asks when there has been calm for a while.
            while log.count("the database answers again") == 0 {
                try await send(400...400)
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(log.count("the database is reachable") <= 4 && log.count("the database answers again") == 1)
            #expect(log.told.count <= before + 14, "\(log.told.dropFirst(before).joined(separator: "\n"))")
        }
    }

    @Test func transactionsInEachOthersWayAreNoNews() async throws {
        try await Stack.with { stack in
            let trouble = try await MadeUpTrouble(stack, "40001")
            try await trouble.befall("inbox")
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.worker(.posting, log: log)
            let before = log.told.count
            try await trouble.begin()
            try await stack.send([post("room:a", 1, id: "m")])
            try await log.reached(1, "waits for the database")
            try await Task.sleep(for: .milliseconds(300))
            try await trouble.end()
            try await node.wait(dones: 1)
            #expect(log.told.count == before, "\(log.told.dropFirst(before).joined(separator: "\n"))")
        }
    }

    /// Its exchange was deleted, or it is about to take a fresh queue.
    @Test func whatComesBackIsPublishedAgainForAWhile() async throws {
        try await Stack.with { stack in
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.worker(.posting, log: log)
            try await stack.send([envelope("echo", "{}", node: "late", connection: "c1", id: "m")])
            try await stack.send([envelope("echo", "{}", connection: "c2", id: "m")])
            try await node.wait(dones: 1)
            // What is for the other one comes back meanwhile, more than once.
            try await Task.sleep(for: .seconds(1))
            let late = try await stack.node("late")
            try await late.wait(dones: 1)
            #expect(log.count("node is gone") == 0)
        }
    }

    @Test func aNodeThatIsGoneIsToldOnce() async throws {
        try await Stack.with { stack in
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.worker(.posting, log: log)
            for number in 1...50 {
                try await stack.send([envelope("echo", "{}", node: "ghost", connection: "g\(number)", id: "m")])
                try await stack.send([envelope("echo", "{}", connection: "c\(number)", id: "m")])
            }
            try await node.wait(dones: 50)
            try await log.reached(1, "node is gone")
            #expect(log.count("node is gone") == 1)
        }
    }
}

extension LogLines {
    /// What is told where the level is the usual one.
    fileprivate var told: [String] {
        all.filter { line in ["info", "notice", "warning", "error", "critical"].contains { line.hasPrefix("\($0) ") } }
    }
}
