import SparqAMQP
import Foundation
import SparqPostgres
import SparqWire
import SparqWorker
import Synchronization
import Testing

/// The operator's mistakes: nothing is lost to them, however long they last, the worker is not ready meanwhile, and the log says what to do.
@Suite(.timeLimit(.minutes(4))) struct SchemaFaultTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        let name: String
        /// `S` stands for the schema, `R` for the worker's role, `G` for the group that has the rights.
        let breaks: String
        let mends: String
        /// What the log says.
        var hint = "advice"
        var testDescription: String { name }
    }

    static let faults = [
        Fault(
            name: "a function is renamed",
            breaks: "ALTER FUNCTION S.sparq_commit RENAME TO sparq_gone",
            mends: "ALTER FUNCTION S.sparq_gone RENAME TO sparq_commit"
        ),
        Fault(name: "a privilege is taken away", breaks: "REVOKE INSERT ON S.events FROM G", mends: "GRANT INSERT ON S.events TO G"),
        Fault(name: "a membership is taken away", breaks: "REVOKE G FROM R", mends: "GRANT G TO R"),
        Fault(name: "the search path leads nowhere", breaks: "ALTER SCHEMA S RENAME TO S_gone", mends: "ALTER SCHEMA S_gone RENAME TO S"),
        Fault(name: "a table is renamed", breaks: "ALTER TABLE S.topics RENAME TO gone", mends: "ALTER TABLE S.gone RENAME TO topics"),
        Fault(
            name: "a column is dropped",
            breaks: "ALTER TABLE S.inbox RENAME COLUMN reply TO gone",
            mends: "ALTER TABLE S.inbox RENAME COLUMN gone TO reply"
        ),
        Fault(
            name: "the application's table is renamed",
            breaks: "ALTER TABLE S.things RENAME TO gone",
            mends: "ALTER TABLE S.gone RENAME TO things"
        ),
        Fault(
            name: "the application's privilege is taken away",
            breaks: "REVOKE ALL ON S.things FROM G",
            mends: "GRANT ALL ON S.things TO G"
        ),
        Fault(
            name: "no writes",
            breaks: "ALTER ROLE R SET default_transaction_read_only = on",
            mends: "ALTER ROLE R RESET default_transaction_read_only"
        ),
    ]

    private static func run(_ sql: String, _ stack: Stack, _ role: String) async throws {
        let names = sql.replacing(#/\bS(?=\b|_gone)/#.wordBoundaryKind(.simple), with: stack.schema).replacing(
            #/\bR\b/#.wordBoundaryKind(.simple),
            with: role
        )
        let text = names.replacing(#/\bG\b/#.wordBoundaryKind(.simple), with: "\(role)_rights")
        try await stack.pool.withConnection { try await $0.script(text) }
        // What a role is set to holds for new sessions.
        if sql.contains("ALTER ROLE") { try await stack.endConnections() }
    }

    /// A worker's user with no rights of its own.
    private static func withRole(_ stack: Stack, _ body: (PostgresConfiguration, String) async throws -> Void) async throws {
        let role = "r_\(stack.schema)"
        let schema = stack.schema
        try await stack.pool.withConnection { connection in
            try await connection.script(
                """
                CREATE TABLE things (name text PRIMARY KEY);
                CREATE ROLE \(role)_rights NOLOGIN;
                CREATE ROLE \(role) LOGIN PASSWORD 'secret' IN ROLE \(role)_rights;
                GRANT USAGE ON SCHEMA \(schema) TO \(role)_rights;
                GRANT ALL ON ALL TABLES IN SCHEMA \(schema) TO \(role)_rights;
                GRANT ALL ON ALL SEQUENCES IN SCHEMA \(schema) TO \(role)_rights
                """
            )
        }
        func end() async {
            try? await stack.pool.withConnection { connection in
                try await connection.script("DROP OWNED BY \(role), \(role)_rights; DROP ROLE \(role), \(role)_rights")
            }
        }
        do {
            guard var components = URLComponents(string: ProcessInfo.processInfo.environment["SPARQ_TEST_POSTGRES_URL"] ?? "") else {
                throw Stack.Missing(description: "SPARQ_TEST_POSTGRES_URL is no URL")
            }
            (components.user, components.password) = (role, "secret")
            components.percentEncodedQuery = "options=-csearch_path%3D\(schema)"
            var configuration = try PostgresConfiguration(url: components.string ?? "")
            configuration.applicationName = schema
            try await body(configuration, role)
        } catch {
            await end()
            throw error
        }
        await end()
    }

    private static var router: Router {
        var router = Router.posting
        router.on("read", RawMessage.self) { _, context in
            try await context.database.query("SELECT name FROM things")
            return [.reply(Note(n: 1))]
        }
        router.onTransaction("write", RawMessage.self) { _, context, transaction in
            try await transaction.execute("INSERT INTO things VALUES ($1)", context.user)
            return [.append(to: .room("a"), Note(n: 1)), .reply(Note(n: 1))]
        }
        return router
    }

    @Test(arguments: faults) func theOperatorsMistakeIsWaitedOut(_ fault: Fault) async throws {
        try await Stack.with { stack in
            try await Self.withRole(stack) { postgres, role in
                let (node, log) = (try await stack.node(), LogLines())
                let worker = try await stack.worker(Self.router, log: log) {
                    $0.postgres = postgres
                    // Far shorter than the fault lasts.
                    $0.defectPatience = .milliseconds(300)
                }
                try await stack.send([post("room:a", 1, connection: "before", user: "before", id: "m")])
                try await node.wait(dones: 1)
                try await Self.run(fault.breaks, stack, role)
                for number in 1...3 {
                    try await stack.send([
                        post("room:a", number, connection: "p\(number)", user: "p\(number)", id: "m"),
                        envelope("read", "{}", connection: "r\(number)", user: "r\(number)", id: "m"),
                        envelope("write", "{}", connection: "w\(number)", user: "w\(number)", id: "m"),
                    ])
                }
                try await worker.unready()
                try await log.reached(1, fault.hint)
                // Longer than all attempts of a message take.
                try await Task.sleep(for: .seconds(2))
                #expect(!node.dones.contains { $0.reply?.text.contains("internal") == true })
                try await Self.run(fault.mends, stack, role)
                try await node.wait(for: "all answers", seconds: 40) {
                    $0.dones.count { $0.reply?.text.contains(#""ok":true"#) == true } == 10
                }
                try await worker.ready()
                #expect(try await stack.count("SELECT seq FROM topics WHERE topic = 'room:a'") == 7)
                #expect(try await stack.deadLetters().isEmpty)
                await worker.shutDown()
                #expect(try await stack.workLeft() == 0)
            }
        }
    }

    /// As behind a pooler that gives each transaction another session (26000), and where another client's statement has the name (42P05).
    @Test(arguments: ["26000", "42P05"]) func aPoolerBetweenIsWaitedOut(_ sqlState: String) async throws {
        try await Stack.with { stack in
            let trouble = try await MadeUpTrouble(stack, sqlState)
            try await trouble.befall("inbox")
            var router = Router.posting
            router.on("ask", RawMessage.self) { _, context in
                try await context.database.query("SELECT make_trouble()")
                return [.reply(Note(n: 1))]
            }
            let (node, log) = (try await stack.node(), LogLines())
            let worker = try await stack.worker(router, log: log)
            try await trouble.begin()
            try await stack.send([post("room:a", 1, id: "m"), envelope("ask", "{}", connection: "c2", user: "bob", id: "m")])
            try await worker.unready()
            try await log.reached(2, "a pooler stands between")
            try await Task.sleep(for: .seconds(1))
            try await trouble.end()
            try await node.wait(for: "both") { $0.dones.count { $0.reply?.text.contains(#""ok":true"#) == true } == 2 }
            try await worker.ready()
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    /// The messages of that time that are sent again and again do not pile up.
    @Test func copiesOfWhatWaitsForAnOperatorAreAnsweredAtOnce() async throws {
        try await Stack.with { stack in
            let trouble = try await MadeUpTrouble(stack, "42501")
            let runs = Atomic(0)
            var router = Router()
            router.on("ask", RawMessage.self) { _, context in
                runs.add(1, ordering: .relaxed)
                try await context.database.query("SELECT make_trouble()")
                return [.reply(Note(n: 1))]
            }
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.worker(router, log: log) { $0.retryDelays = [.milliseconds(50), .seconds(2)] }
            try await trouble.begin()
            try await stack.send([envelope("ask", "{}", connection: "c0", id: "m")])
            try await log.reached(1, "its messages wait")
            for number in 1...10 { try await stack.send([envelope("ask", "{}", connection: "c\(number)", id: "m")]) }
            try await node.wait(for: "word on the copies") { $0.dones.count { $0.reply?.text.contains("unavailable") == true } == 10 }
            #expect(runs.load(ordering: .relaxed) <= 4)
            try await trouble.end()
            try await node.wait(for: "the first") { $0.dones.contains { $0.connection == "c0" && $0.reply?.text.contains("true") == true } }
        }
    }

    /// What is only swept, or counted, does not hold up a message; the log says what is missing, and it goes on when that is mended.
    @Test func aFunctionOfHousekeepingIsMissed() async throws {
        try await Stack.with { stack in
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.pool.execute("ALTER FUNCTION sparq_sweep_events RENAME TO sparq_gone")
            try await stack.worker(.posting, log: log) { $0.retentionInterval = .milliseconds(100) }
            try await log.reached(1, "removing old rows failed")
            #expect(log.all.contains { $0.contains("removing old rows failed") && $0.contains("advice") })
            try await stack.send([post("room:a", 1, id: "m")])
            try await node.wait(dones: 1)
            try await stack.pool.execute("ALTER FUNCTION sparq_gone RENAME TO sparq_sweep_events")
            try await log.reached(1, "old rows are removed again")
            #expect(try await stack.deadLetters().isEmpty)
        }
    }
}
