import SparqAMQP
import SparqPostgres
import SparqWire
import SparqWorker
import Synchronization
import Testing

/// Errors of the database that pass: nobody is told `internal`, and nothing lies among the dead letters.
@Suite(.timeLimit(.minutes(2))) struct PassingErrorTests {
    private static let outages = ["58030", "53100", "XX000", "57P03", "40P01", "HV000"]

    /// Input and output, a full disk, an internal error, a start, a deadlock; and the operator's mistakes: no table, no privilege, no function.
    @Test(arguments: outages + ["42P01", "42501", "42883", "55000", "57014"]) func commitsWaitErrorsOut(_ sqlState: String) async throws {
        try await Stack.with { stack in
            let trouble = try await MadeUpTrouble(stack, sqlState)
            try await trouble.befall("inbox")
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.worker(.posting, log: log)
            try await trouble.begin()
            for number in 1...20 {
                try await stack.send([post("room:a", number, connection: "c\(number)", user: "u\(number)", id: "m")])
            }
            try await log.reached(1, "waits for the database")
            try await Task.sleep(for: .seconds(1))
            #expect(node.dones.isEmpty)
            try await trouble.end()
            try await node.wait(dones: 20)
            #expect(node.dones.allSatisfy { $0.reply?.text.contains(#""ok":true"#) == true })
            #expect(try await stack.count("SELECT seq FROM topics") == 20)
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    /// No attempt is lost to it: the worker waits, and the handler runs as often as it must.
    @Test(arguments: outages, [false, true]) func aHandlersSQLWaitsThemOutToo(_ sqlState: String, inATransaction: Bool) async throws {
        try await Stack.with { stack in
            let trouble = try await MadeUpTrouble(stack, sqlState)
            let attempts = Mutex<[Int]>([])
            var router = Router()
            router.on("ask", RawMessage.self) { _, context in
                attempts.withLock { $0.append(context.attempt) }
                try await context.database.query("SELECT make_trouble()")
                return [.reply(Note(n: 1))]
            }
            router.onTransaction("change", RawMessage.self) { _, context, transaction in
                attempts.withLock { $0.append(context.attempt) }
                // It goes on regardless, and meets the aftermath.
                _ = try? await transaction.query("SELECT make_trouble()")
                try await transaction.query("SELECT 1")
                return [.append(to: .room("a"), Note(n: 1))]
            }
            let node = try await stack.node()
            try await stack.worker(router)
            try await trouble.begin()
            try await stack.send([envelope(inATransaction ? "change" : "ask", "{}", id: "m")])
            while attempts.withLock({ $0.count < 5 }) { try await Task.sleep(for: .milliseconds(5)) }
            try await trouble.end()
            try await node.wait(dones: 1)
            #expect(node.dones[0].reply?.text.contains(#""ok":true"#) == true)
            #expect(attempts.withLock { $0.allSatisfy { $0 == 1 } })
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    @Test(arguments: ["23514", "42601", "42804", "P0001"]) func aClearFaultOfAHandlersSQLIsFinal(_ sqlState: String) async throws {
        try await Stack.with { stack in
            let trouble = try await MadeUpTrouble(stack, sqlState)
            var router = Router()
            router.on("ask", RawMessage.self) { _, context in
                try await context.database.query("SELECT make_trouble()")
                return []
            }
            let node = try await stack.node()
            try await stack.worker(router)
            try await trouble.begin()
            try await stack.send([envelope("ask", "{}", id: "m")])
            try await node.wait(dones: 1)
            #expect(node.dones[0].reply?.text.contains(#""code":"internal""#) == true)
            #expect(try await stack.deadLetters().count == 1)
        }
    }

    /// A row that somebody holds may become free: no slot is held meanwhile, but attempts count.
    @Test(arguments: ["55000", "55P03", "55006"])
    func whatAHandlersSQLMissesIsTriedAgainLater(_ sqlState: String) async throws {
        try await Stack.with { stack in
            let trouble = try await MadeUpTrouble(stack, sqlState)
            let attempts = Mutex<[String: [Int]]>([:])
            var router = Router()
            router.on("ask", RawMessage.self) { _, context in
                let isMended = context.connection == "mended" && context.attempt == 3
                attempts.withLock { $0[context.connection ?? "", default: []].append(context.attempt) }
                if !isMended { try await context.database.query("SELECT make_trouble()") }
                return [.reply(Note(n: 1))]
            }
            router.onTransaction("change", RawMessage.self) { _, context, transaction in
                attempts.withLock { $0[context.connection ?? "", default: []].append(context.attempt) }
                if context.attempt < 3 { _ = try? await transaction.query("SELECT make_trouble()") }
                try await transaction.query("SELECT 1")
                return [.reply(Note(n: 1))]
            }
            let node = try await stack.node()
            try await stack.worker(router)
            try await trouble.begin()
            try await stack.send([envelope("ask", "{}", connection: "mended", id: "m")])
            try await stack.send([envelope("change", "{}", connection: "changed", user: "bob", id: "m")])
            try await stack.send([envelope("ask", "{}", connection: "lasting", user: "carol", id: "m")])
            try await node.wait(for: "all answers") { $0.dones.count { $0.reply != nil } >= 3 }
            for connection in ["mended", "changed", "lasting"] {
                let expected = connection == "lasting" ? #""code":"internal""# : #""ok":true"#
                let reply = node.dones.first { $0.connection == connection && $0.reply != nil }?.reply
                #expect(reply?.text.contains(expected) == true)
                #expect(attempts.withLock { $0[connection] } == [1, 2, 3])
            }
            let letters = try await stack.deadLetters()
            #expect(letters.count == 1 && letters.first?.headers["attempts"]?.intValue == 3)
        }
    }

    /// Such as a damaged page that holds one topic: it must not hold up all others for ever.
    @Test func aDefectThatStaysWithOneMessageHoldsUpNobodyElse() async throws {
        try await Stack.with { stack in
            try await Self.damage("topics", stack)
            let node = try await stack.node()
            try await stack.worker(.posting) { $0.defectPatience = .seconds(5) }
            var batch = (1...10).map { post("room:a", $0, connection: "c\($0)", user: "u\($0)", id: "m") }
            batch.insert(post("room:bad", 1, connection: "bad", user: "bad", id: "m"), at: 5)
            try await stack.send(batch)
            let isFine: @Sendable (Done) -> Bool = { $0.reply?.text.contains(#""ok":true"#) == true }
            try await node.wait(for: "the others' answers", seconds: 2) { $0.dones.count(where: isFine) == 10 }
            try await node.wait(for: "all answers", seconds: 60) { $0.dones.count { $0.reply != nil } >= 11 }
            #expect(node.dones.count(where: isFine) == 10)
            #expect(node.dones.first { $0.connection == "bad" && $0.reply != nil }?.reply?.text.contains(#""code":"internal""#) == true)
            let letters = try await stack.deadLetters()
            #expect(letters.count == 1 && letters[0].headers["reason"]?.stringValue?.hasPrefix("retries: ") == true)
            #expect(letters.first?.headers["attempts"]?.intValue == Stack.retryDelays.count + 1)
        }
    }

    @Test func aDefectOfWhatOneNodeAsksHoldsUpNoLease() async throws {
        try await Stack.with { stack in
            try await Self.damage("directory", stack)
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.worker(.posting, log: log) { $0.defectPatience = .seconds(20) }
            try await stack.send([sync(["room:bad": 0], version: 1), lease([]), sync(["room:a": 0], version: 2)])
            try await node.wait(for: "page and lease", seconds: 2) { !$0.pages.isEmpty && !$0.leases.isEmpty }
            try await log.reached(1, "waits for the database")
            try await stack.send([lease([])])
            try await node.wait(for: "another lease", seconds: 2) { $0.leases.count == 2 }
            try await stack.pool.execute("DROP TRIGGER damaged ON directory")
            try await node.wait(for: "the other page") { $0.pages.count == 2 }
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    @Test(arguments: ["58030", "XX000", "42501"]) func whatNodesAskWaitsThemOut(_ sqlState: String) async throws {
        try await Stack.with { stack in
            let trouble = try await MadeUpTrouble(stack, sqlState)
            for table in ["nodes", "directory"] { try await trouble.befall(table) }
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.worker(.posting, log: log)
            try await trouble.begin()
            try await stack.send([sync(["room:a": 0], version: 1)])
            try await stack.send([lease(["room:a"])])
            try await log.reached(1, "waits for the database")
            try await Task.sleep(for: .milliseconds(500))
            try await trouble.end()
            try await node.wait(for: "page and lease") { !$0.pages.isEmpty && !$0.leases.isEmpty }
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    /// A page of the table, that holds one topic: `room:bad`.
    private static func damage(_ table: String, _ stack: Stack) async throws {
        try await stack.pool.withConnection { connection in
            try await connection.script(
                """
                CREATE FUNCTION damaged() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'invalid page' USING ERRCODE = 'XX001'; END $$;
                CREATE TRIGGER damaged BEFORE INSERT OR UPDATE ON \(table) FOR EACH ROW WHEN (NEW.topic = 'room:bad') EXECUTE FUNCTION damaged()
                """
            )
        }
    }
}
