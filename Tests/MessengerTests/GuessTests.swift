import Sparq
import SparqTesting
import Testing

@testable import Messenger

/// How often passwords may be guessed. The database counts, so it makes no difference by which connection, front or worker they come.
@Suite(.timeLimit(.minutes(2))) struct GuessTests {
    private func logIn(_ user: String, _ password: String, from address: String?, _ database: Database) async throws -> ErrorCode? {
        let json = #"{"user":"\#(user)","password":"\#(password)"}"#
        return try await database.tester.send("auth.login", json, address: address).refusal?.code
    }

    @Test func ofOneAccountAnAddressMayGuessTenWhateverTheSpelling() async throws {
        try await Database.lent { database in
            try await database.register("alice")
            var codes: [ErrorCode?] = []
            for name in ["alice", "ALICE", "Alice", "aLiCe", "al\u{130}ce", "ali\\u0063e"] {
                for _ in 0..<4 { codes.append(try await logIn(name, "passwort", from: "10.0.0.1", database)) }
            }
            // The one with a dotted I is another name, which nobody has.
            #expect(codes.count { $0 == .invalidCredentials } == 10 + 4)
            #expect(codes.count { $0 == .rateLimited } == 10)
            // From there even the right one has to wait; from elsewhere nobody has.
            #expect(try await logIn("alice", "password", from: "10.0.0.1", database) == .rateLimited)
            #expect(try await logIn("alice", "password", from: "10.0.0.2", database) == nil)
            try await database.pool.execute("UPDATE guesses SET until = until - interval '15 s'")
            #expect(try await logIn("alice", "password", from: "10.0.0.1", database) == nil)
        }
    }

    @Test func ofManyAccountsAnAddressMayGuessForty() async throws {
        try await Database.lent { database in
            var codes: [ErrorCode?] = []
            for number in 0..<60 { codes.append(try await logIn("user\(number)", "passwort", from: "10.0.0.1", database)) }
            for _ in 0..<10 { codes.append(try await logIn("no name!", "passwort", from: "10.0.0.1", database)) }
            #expect(codes.count { $0 == .invalidCredentials } == 40)
            #expect(codes.count { $0 == .rateLimited } == 30)
        }
    }

    @Test func theyCountTogetherHoweverManyComeAtOnce() async throws {
        try await Database.lent { database in
            try await database.register("alice")
            let codes = try await withThrowingTaskGroup(of: ErrorCode?.self) { group in
                for _ in 0..<64 { group.addTask { try await logIn("alice", "passwort", from: "10.0.0.1", database) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.count { $0 == .invalidCredentials } == 10 && codes.count { $0 == .rateLimited } == 54)
        }
    }

    /// A crowd of strangers keeps others out that are strangers too, and nobody from where they have logged in before.
    @Test func strangersDoNotLockAnOwnerOut() async throws {
        try await Database.lent { database in
            try await database.register("alice")
            #expect(try await logIn("alice", "password", from: "192.168.0.1", database) == nil)
            var codes: [ErrorCode?] = []
            for number in 0..<100 { codes.append(try await logIn("alice", "passwort", from: "10.0.\(number).1", database)) }
            #expect(codes.count { $0 == .invalidCredentials } == 50)
            #expect(try await logIn("alice", "password", from: "10.1.0.1", database) == .rateLimited)
            for _ in 0..<20 { #expect(try await logIn("alice", "password", from: "192.168.0.1", database) == nil) }
            // Elsewhere it takes seconds, as long as the crowd leaves room.
            try await database.pool.execute("UPDATE guesses SET until = until - interval '5 s' WHERE subject LIKE 'account %'")
            #expect(try await logIn("alice", "password", from: "10.1.0.1", database) == nil)
        }
    }

    @Test func rightPasswordsAreNoGuesses() async throws {
        try await Database.lent { database in
            try await database.register("alice")
            for _ in 0..<60 { #expect(try await logIn("alice", "password", from: "10.0.0.1", database) == nil) }
            #expect(try await logIn("alice", "passwort", from: nil, database) == .invalidCredentials)
        }
    }

    /// A second's hashing is several accounts: one address does not take it all for ever.
    @Test func anAddressMayMakeFourHundredAccountsAndThenOneEverySecond() async throws {
        try await Database.lent { database in
            let guess = Guess(registrationFrom: "10.0.0.1")
            func take(_ count: Int) async throws -> Int {
                var taken = 0
                for _ in 0..<count { if try await MessengerSQL.take(guess, database.pool) == 0 { taken += 1 } }
                return taken
            }
            // The statements take time too.
            let began = ContinuousClock.now
            let first = try await take(500)
            let slack = Int((ContinuousClock.now - began).components.seconds) + 1
            #expect((400...400 + slack).contains(first))
            try await database.pool.execute("UPDATE guesses SET until = until - interval '10 s' WHERE subject LIKE 'registration %'")
            let next = try await take(100)
            #expect((10...11 + slack).contains(next), "\(next)")
        }
    }

    @Test func whatSaysNothingAnyMoreGoes() async throws {
        try await Database.lent { database in
            try await database.pool.execute(
                "INSERT INTO guesses SELECT 'old ' || n, now() - interval '1 s' FROM generate_series(1, 1500) n"
            )
            let guess = Guess(registrationFrom: "10.0.0.1")
            while try await database.count("guesses") > 600 {
                #expect(try await MessengerSQL.take(guess, database.pool) == 0)
                try await MessengerSQL.giveBack(guess, isKnownFor: nil, database.pool)
            }
        }
    }
}
