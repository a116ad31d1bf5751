import SparqAMQP
import SparqPostgres
import SparqWire
import SparqWorker
import Synchronization
import Testing

/// Handlers that ask much of the database, or wait for it, while others go on.
@Suite(.timeLimit(.minutes(2))) struct CrowdedDatabaseTests {
    private static func isFine(_ done: Done) -> Bool { done.reply?.text.contains(#""ok":true"#) == true }

    private static var router: Router {
        var router = Router.posting
        router.onTransaction("create", RawMessage.self) { _, context, transaction in
            try await transaction.execute("INSERT INTO things VALUES ($1)", context.user)
            return [.append(to: .room("things"), Note(n: 1)), .reply(Note(n: 1))]
        }
        router.on("list", RawMessage.self) { _, context in
            try await context.database.query("SELECT count(*) FROM things")
            return [.reply(Note(n: 1))]
        }
        router.onTransaction("other", RawMessage.self) { _, context, transaction in
            try await transaction.execute("INSERT INTO others VALUES ($1)", context.user)
            return [.reply(Note(n: 1))]
        }
        router.on("look", RawMessage.self) { _, context in
            try await context.database.query("SELECT count(*) FROM sweeps")
            return [.reply(Note(n: 1))]
        }
        return router
    }

    /// Posts, and waits for the answer; how long that takes.
    private static func post(_ number: Int, _ stack: Stack, _ node: FakeNode) async throws -> Duration {
        let start = ContinuousClock.now
        try await stack.send([
            SparqWorkerIntegrationTests.post("room:a", number, connection: "c\(number)", user: "u\(number)", id: "m")
        ])
        try await node.wait(for: "post \(number)", seconds: 10) { $0.dones.contains { $0.connection == "c\(number)" && isFine($0) } }
        return .now - start
    }

    /// Asks something that nothing blocks, and waits for the answer; how long that takes.
    private static func ask(_ type: String, _ number: Int, _ stack: Stack, _ node: FakeNode) async throws -> Duration {
        let start = ContinuousClock.now
        let name = "\(type)-\(number)"
        try await stack.send([envelope(type, "{}", connection: name, user: name, id: "m")])
        try await node.wait(for: name, seconds: 10) { $0.dones.contains { $0.connection == name && isFine($0) } }
        return .now - start
    }

    private static func tables(_ stack: Stack) async throws {
        for table in ["things", "others"] { try await stack.pool.execute("CREATE TABLE \(table) (name text PRIMARY KEY)") }
    }

    /// Reads, transactions, and both; as many as find room in the worker, and far more.
    @Test(arguments: [["create"], ["list"], ["create", "list"]], [12, 200])
    func aLockedTableHoldsUpNobodyElse(_ types: [String], count: Int) async throws {
        try await Stack.with { stack in
            try await Self.tables(stack)
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.worker(Self.router, log: log) {
                $0.reapInterval = .milliseconds(100)
                $0.leaseDuration = .seconds(1)
                $0.retentionInterval = .milliseconds(200)
                $0.postgres.acquireTimeout = .milliseconds(500)
            }
            try await stack.pool.transaction { transaction in
                try await transaction.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
                for number in 1...count {
                    let type = types[number % types.count]
                    try await stack.send([envelope(type, "{}", connection: "l\(number)", user: "l\(number)", id: "m")])
                }
                try await stack.someoneWaits()
                var times: [Duration] = []
                for number in 1...20 {
                    times.append(try await Self.post(number, stack, node))
                    // These need what the blocked ones have, connections and slots.
                    times.append(try await Self.ask("look", number, stack, node))
                    times.append(try await Self.ask("other", number, stack, node))
                    times.append(try await Self.ask("echo", number, stack, node))
                }
                times.sort()
                print(
                    "a locked table, \(types) × \(count): bystanders \(times[times.count / 2]) in the middle, \(times[times.count - 1]) at most"
                )
                #expect(times[times.count - 1] < .seconds(3))
                // Longer than anybody waits for a connection.
                try await Task.sleep(for: .seconds(2))
            }
            let isBlocked: @Sendable (Done) -> Bool = { $0.connection.hasPrefix("l") && !$0.connection.hasPrefix("look") }
            try await node.wait(for: "those that waited") { $0.dones.count { isBlocked($0) && $0.reply != nil } == count }
            let refused = node.dones.count { isBlocked($0) && $0.reply?.text.contains(#""code":"unavailable""#) == true }
            #expect(node.dones.count { isBlocked($0) && Self.isFine($0) } == count - refused)
            #expect(count == 12 ? refused == 0 : (1...180).contains(refused))
            #expect(log.count("poolTimeout") == 0 && log.count("trouble with the database") == 0 && log.count("in use") == 0)
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    /// They take turns at one row. Others do not wait behind them, and those that are too many are told at once.
    @Test func aFloodOfTransactionsHoldsUpNobodyElse() async throws {
        try await Stack.with { stack in
            try await Self.tables(stack)
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.worker(Self.router, log: log)
            for part in 0..<40 {
                try await stack.send(
                    (0..<100).map { number in
                        envelope("create", "{}", connection: "f\(part)-\(number)", user: "f\(part)-\(number)", id: "m")
                    }
                )
            }
            var slowest: Duration = .zero
            for number in 1...20 { slowest = max(slowest, try await Self.post(number, stack, node)) }
            #expect(slowest < .seconds(5))
            try await node.wait(for: "word for all") { $0.dones.count { $0.connection.hasPrefix("f") } == 4000 }
            let flood = node.dones.filter { $0.connection.hasPrefix("f") }
            let refused = flood.count { $0.reply?.text.contains(#""code":"unavailable""#) == true }
            #expect(flood.count(where: Self.isFine) + refused == 4000 && refused > 0)
            // What was refused has not happened, and what was not has.
            #expect(try await stack.count("SELECT count(*) FROM things") == 4000 - refused)
            #expect(log.count("poolTimeout") == 0 && log.count("trouble with the database") == 0)
        }
    }

    /// Many letters of a type that takes turns, when nobody has room for them: nobody would send them again.
    @Test func deadLettersThatComeBackInACrowdWaitForTheirTurn() async throws {
        try await Stack.with { stack in
            try await Self.tables(stack)
            let isBroken = Mutex(true)
            var router = Self.router
            router.onTransaction("create", RawMessage.self) { _, context, transaction in
                if isBroken.withLock({ $0 }) { throw Broken() }
                try await transaction.execute("INSERT INTO things VALUES ($1)", context.user)
                return [.reply(Note(n: 1))]
            }
            let node = try await stack.node()
            let worker = try await stack.worker(router) { $0.prefetch = 8 }
            try await stack.send((1...60).map { envelope("create", "{}", connection: "l\($0)", user: "l\($0)", id: "m") })
            try await node.wait(dones: 60)
            isBroken.withLock { $0 = false }
            try await stack.pool.transaction { transaction in
                try await transaction.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
                let retried = try await DeadLetters(session: stack.session, names: stack.names).retry(.all)
                #expect(retried.settled.count == 60)
                try await stack.someoneWaits()
                // Until they are many and slow.
                try await Task.sleep(for: .seconds(1))
                #expect(try await Self.ask("echo", 1, stack, node) < .seconds(2))
            }
            try await node.wait(for: "all") { $0.dones.count { $0.connection.hasPrefix("l") && Self.isFine($0) } == 60 }
            #expect(node.dones.count { $0.reply?.text.contains("unavailable") == true } == 0)
            await worker.shutDown()
            #expect(try await stack.count("SELECT count(*) FROM things") == 60)
            let (letters, left) = (try await stack.deadLetters(), try await stack.workLeft())
            #expect(letters.isEmpty && left == 0)
        }
    }

    /// For longer than its handler may take, often.
    @Test(arguments: [false, true]) func noAttemptIsLostWhileTheDatabaseIsAway(inATransaction: Bool) async throws {
        try await Stack.with { stack in
            let (postgres, database) = try stack.postgresThroughProxy()
            defer { database.close() }
            var router = Router()
            router.on("look", RawMessage.self, timeLimit: .milliseconds(300)) { _, context in
                try await context.database.query("SELECT count(*) FROM sweeps")
                return [.reply(Note(n: context.attempt))]
            }
            router.onTransaction("change", RawMessage.self, timeLimit: .milliseconds(300)) { _, context, transaction in
                try await transaction.query("SELECT count(*) FROM sweeps")
                return [.reply(Note(n: context.attempt))]
            }
            let node = try await stack.node()
            try await stack.worker(router) { $0.postgres = postgres }
            database.refuse(true)
            database.cut()
            try await Task.sleep(for: .milliseconds(200))
            for number in 1...5 {
                try await stack.send([
                    envelope(inATransaction ? "change" : "look", "{}", connection: "c\(number)", user: "u\(number)", id: "m")
                ])
            }
            try await Task.sleep(for: .seconds(4))
            database.refuse(false)
            try await node.wait(for: "all") { $0.dones.count(where: Self.isFine) == 5 }
            #expect(node.dones.allSatisfy { $0.reply?.text.contains(#""n":1"#) ?? true })
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    /// Its transaction's session is not what Sparq's own statements need: that is no operator's to mend.
    @Test(arguments: ["SET LOCAL search_path TO pg_catalog", "SET LOCAL ROLE pg_read_all_stats"])
    func aHandlerThatChangesItsSessionIsAtFaultItself(_ sql: String) async throws {
        try await Stack.with { stack in
            var router = Router.posting
            router.onTransaction("change", RawMessage.self) { _, _, transaction in
                try await transaction.execute(sql)
                return [.append(to: .room("a"), Note(n: 1)), .reply(Note(n: 1))]
            }
            let node = try await stack.node()
            try await stack.worker(router)
            try await stack.send([envelope("change", "{}", id: "m")])
            try await node.wait(for: "its answer", seconds: 10) {
                $0.dones.contains { $0.reply?.text.contains(#""code":"internal""#) == true }
            }
            let letters = try await stack.deadLetters()
            #expect(letters.count == 1)
            #expect(
                letters.first?.headers["reason"]?.stringValue?.hasPrefix("handler: the handler's transaction has changed its session")
                    == true
            )
            // Nobody else meets what it set.
            #expect(try await Self.post(1, stack, node) < .seconds(3))
        }
    }
}

private struct Broken: Error {}
