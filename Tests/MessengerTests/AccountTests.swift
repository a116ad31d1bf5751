import Sparq
import SparqTesting
import Testing

@testable import Messenger

@Suite struct AccountTests {
    private func session(_ outcome: Outcome) -> String? {
        for case .beginSession(let user) in outcome.effects { return user }
        return nil
    }

    @Test func messagesWithPasswordsAreSecret() {
        var router = Router()
        Messenger.register(on: &router)
        #expect(Set(router.handlers.filter(\.value.isSecret).keys) == ["auth.register", "auth.login"])
    }

    @Test func registeringBeginsASession() async throws {
        try await Database.lent { database in
            let outcome = try await database.tester.send("auth.register", #"{"user":"Alice","password":"password"}"#, connection: "c1")
            #expect(session(outcome) == "alice")
            #expect(try outcome.reply == #"{"user":"alice"}"#)
            let stored = try await database.pool.query("SELECT password FROM users WHERE name = 'alice'").first?.decode(String.self)
            #expect(stored?.hasPrefix("$scrypt$ln=4,r=8,p=1$") == true)
        }
    }

    @Test func aTakenNameIsAConflictWhateverItsCase() async throws {
        try await Database.lent { database in
            try await database.register("alice")
            for (name, password) in [("alice", "password"), ("ALICE", "another one")] {
                let json = #"{"user":"\#(name)","password":"\#(password)"}"#
                let outcome = try await database.tester.send("auth.register", json, connection: "other")
                #expect(outcome.refusal?.code == .conflict)
            }
            #expect(try await database.count("users") == 1)
        }
    }

    @Test func theSameMessageDeliveredTwiceIsNoConflict() async throws {
        try await Database.lent { database in
            let json = #"{"user":"alice","password":"password"}"#
            let first = try await database.tester.send("auth.register", json, connection: "c1", id: nil, time: 1)
            let again = try await database.tester.send("auth.register", json, connection: "c1", id: nil, time: 1)
            let later = try await database.tester.send("auth.register", json, connection: "c1", id: nil, time: 2)
            #expect(session(first) == "alice")
            #expect(session(again) == "alice")
            #expect(later.refusal?.code == .conflict)
        }
    }

    @Test func ofTwoWhoWantANameOneGetsIt() async throws {
        try await Database.lent { database in
            let outcomes = try await withThrowingTaskGroup(of: Outcome.self) { group in
                for index in 0..<8 {
                    group.addTask {
                        try await database.tester.send(
                            "auth.register",
                            #"{"user":"alice","password":"password\#(index)"}"#,
                            connection: "c\(index)"
                        )
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { $0.refusal == nil } == 1)
            #expect(outcomes.count { $0.refusal?.code == .conflict } == 7)
        }
    }

    @Test func loggingIn() async throws {
        try await Database.lent { database in
            try await database.register("alice")
            let outcome = try await database.tester.send("auth.login", #"{"user":"ALICE","password":"password"}"#)
            #expect(session(outcome) == "alice")
            #expect(try outcome.reply == #"{"user":"alice"}"#)
        }
    }

    @Test func wrongPasswordAndUnknownUserGetTheSameAnswer() async throws {
        try await Database.lent { database in
            try await database.register("alice")
            let long = String(repeating: "p", count: 300)
            let attempts = [
                ("alice", "passwort"), ("alice", ""), ("alice", long), ("nobody", "password"), ("not a name!", "password"), ("", ""),
            ]
            var refusals: Set<String> = []
            for (user, password) in attempts {
                let outcome = try await database.tester.send("auth.login", #"{"user":"\#(user)","password":"\#(password)"}"#)
                #expect(outcome.refusal?.code == .invalidCredentials)
                #expect(outcome.effects.isEmpty)
                refusals.insert(outcome.refusal?.message ?? "")
            }
            #expect(refusals.count == 1)
        }
    }

    /// Keyboards and systems write the same characters in several forms.
    @Test func aPasswordIsTheSameInEveryForm() async throws {
        try await Database.lent { database in
            let forms = ["caf\u{E9} au lait", "cafe\u{301} au lait", "caf\u{E9}\u{A0}au\u{3000}lait", "cafe\u{301}\u{2003}au\u{A0}lait"]
            for (index, form) in forms.enumerated() {
                let registration = #"{"user":"user\#(index)","password":"\#(form)"}"#
                let registered = try await database.tester.send("auth.register", registration, id: "r\(index)")
                #expect(session(registered) == "user\(index)")
                for other in forms {
                    let login = #"{"user":"user\#(index)","password":"\#(other)"}"#
                    #expect(try await session(database.tester.send("auth.login", login)) == "user\(index)")
                }
                let wrong = #"{"user":"user\#(index)","password":"cafe au lait"}"#
                #expect(try await database.tester.send("auth.login", wrong).refusal?.code == .invalidCredentials)
            }
        }
    }

    @Test(arguments: [
        #"pass\u0000word"#, #"pass\nword"#, #"password\u007f"#, #"password\u0085"#, #"ééé"#, String(repeating: "é", count: 129),
    ])
    func whatMayNotBecomeAPassword(password: String) async throws {
        let outcome = try await HandlerTester(.messenger()).send("auth.register", #"{"user":"alice","password":"\#(password)"}"#)
        #expect(outcome.refusal?.code == .invalidFields)
    }

    /// The bytes count that are hashed: what is longer only while it is typed is no longer password.
    @Test func theLengthIsThatOfTheForm() async throws {
        try await Database.lent { database in
            let typed = String(repeating: "e\u{301}", count: 128)
            for type in ["auth.register", "auth.login"] {
                #expect(try await session(database.tester.send(type, #"{"user":"alice","password":"\#(typed)"}"#)) == "alice")
            }
            let short = String(repeating: "e\u{301}", count: 3)
            let refusal = try await database.tester.send("auth.register", #"{"user":"bob","password":"\#(short)"}"#).refusal
            #expect(refusal?.code == .invalidFields)
        }
    }

    /// Accounts of before there was a form have the hash of what was typed.
    @Test(arguments: [(typed: "cafe\u{301} au lait", other: "caf\u{E9} au lait"), (typed: "pass\u{A0}word", other: "pass word")])
    func aPasswordOfBeforeWorksAndGetsItsForm(typed: String, other: String) async throws {
        try await Database.lent { database in
            try await database.register("alice")
            let hasher = PasswordHasher.cheap()
            try await database.pool.execute("UPDATE users SET password = $1", try await hasher.hash(typed))
            func login(_ password: String) async throws -> Outcome {
                try await database.tester.send("auth.login", #"{"user":"alice","password":"\#(password)"}"#)
            }
            #expect(try await login(other).refusal?.code == .invalidCredentials)
            for password in [typed, typed, other] { #expect(try await session(login(password)) == "alice") }
            #expect(try await login("password").refusal?.code == .invalidCredentials)
        }
    }

    @Test func aPasswordOfBeforeWithControlCharactersWorksAsItIs() async throws {
        try await Database.lent { database in
            try await database.register("alice")
            let stored = try await PasswordHasher.cheap().hash("pass\tword")
            try await database.pool.execute("UPDATE users SET password = $1", stored)
            for _ in 0..<2 {
                #expect(try await session(database.tester.send("auth.login", #"{"user":"alice","password":"pass\tword"}"#)) == "alice")
            }
            #expect(try await database.pool.query("SELECT password FROM users").first?.decode(String.self) == stored)
        }
    }

    @Test func aHashOfOtherParametersIsReplacedAtLogin() async throws {
        try await Database.lent { database in
            try await database.register("alice")
            let stronger = PasswordHasher(threads: 1, waiting: 10, parameters: .init(logRounds: 6, blockSize: 8, parallelism: 1))
            let tester = HandlerTester(.messenger(stronger), database: database.pool)
            for _ in 0..<2 {
                let outcome = try await tester.send("auth.login", #"{"user":"alice","password":"password"}"#)
                #expect(session(outcome) == "alice")
                let stored = try await database.pool.query("SELECT password FROM users").first?.decode(String.self)
                #expect(stored?.hasPrefix("$scrypt$ln=6,") == true)
            }
        }
    }

    /// Rough, for it measures: with what the product really hashes, neither answer may come half as fast again as the other.
    @Test(.timeLimit(.minutes(2))) func wrongPasswordAndUnknownUserTakeTheSameTime() async throws {
        try await Database.lent(passwords: PasswordHasher(threads: 1)) { database in
            try await database.register("alice")
            var times: [String: [Duration]] = [:]
            for round in 0..<7 {
                // In turns, so that what else the machine does meets both.
                for user in round.isMultiple(of: 2) ? ["alice", "nobody"] : ["nobody", "alice"] {
                    let start = ContinuousClock.now
                    let outcome = try await database.tester.send("auth.login", #"{"user":"\#(user)","password":"passwort"}"#)
                    times[user, default: []].append(ContinuousClock.now - start)
                    #expect(outcome.refusal?.code == .invalidCredentials)
                }
            }
            // The shortest of each: what else runs on the machine only adds.
            let shortest = times.values.compactMap { $0.min() }.sorted()
            let ratio = try #require(shortest.last) / #require(shortest.first)
            #expect(ratio < 1.5)
            #expect(try #require(shortest.first) > .milliseconds(10))
        }
    }
}
