import Sparq
import SparqTesting
import Testing

@testable import Messenger

@Suite struct DirectTests {
    @Test func bothHaveIt() async throws {
        try await Database.lent { database in
            try await database.register("bob")
            let outcome = try await database.tester.send("direct.send", #"{"to":"Bob","text":"psst"}"#, user: "alice")
            #expect(try outcome.appended.map(\.topic) == [.user("bob"), .user("alice")])
            #expect(try outcome.appended.allSatisfy { $0.type == "direct.message" })
            #expect(try outcome.appended.allSatisfy { $0.fields == ["from": "alice", "to": "bob", "text": "psst"] })
            #expect(try outcome.reply == "{}")
        }
    }

    @Test func aNoteToOneselfComesOnce() async throws {
        try await Database.lent { database in
            try await database.register("alice")
            let outcome = try await database.tester.send("direct.send", #"{"to":"alice","text":"note"}"#, user: "alice")
            #expect(try outcome.appended.map(\.topic) == [.user("alice")])
        }
    }

    @Test func nobodyOfThatName() async throws {
        try await Database.lent { database in
            let outcome = try await database.tester.send("direct.send", #"{"to":"nobody","text":"hi"}"#, user: "alice")
            #expect(outcome.refusal?.code == .notFound)
            #expect(outcome.effects.isEmpty)
        }
    }

    @Test func historyWithOnePersonAndWithAll() async throws {
        try await Database.lent { database in
            try await database.register("alice", "bob", "carol")
            let talk = [
                ("alice", "bob", "1"), ("bob", "alice", "2"), ("carol", "alice", "3"), ("alice", "alice", "4"), ("alice", "bob", "5"),
            ]
            for (from, to, text) in talk {
                try await database.log(try await database.tester.send("direct.send", #"{"to":"\#(to)","text":"\#(text)"}"#, user: from))
            }
            // Something else in the same topic is no direct message.
            try await database.log(AppendedEvent(topic: .user("alice"), type: "other", data: #"{"from":"bob","to":"alice","text":"no"}"#))
            func history(_ user: String, _ json: String) async throws -> [String?] {
                try events(try await database.tester.send("direct.history", json, user: user)).map(\.text)
            }
            #expect(try await history("alice", #"{"with":"bob"}"#) == ["1", "2", "5"])
            #expect(try await history("alice", #"{"with":"carol"}"#) == ["3"])
            #expect(try await history("alice", #"{"with":"alice"}"#) == ["4"])
            #expect(try await history("alice", "{}") == ["1", "2", "3", "4", "5"])
            #expect(try await history("alice", #"{"with":"bob","before":5}"#) == ["1", "2"])
            #expect(try await history("alice", #"{"with":"bob","limit":1}"#) == ["5"])
            #expect(try await history("bob", #"{"with":"alice"}"#) == ["1", "2", "5"])
            #expect(try await history("bob", #"{"with":"carol"}"#) == [])
        }
    }

    @Test func historyOfEveryone() async throws {
        try await Database.lent { database in
            for text in ["1", "2", "3"] {
                try await database.log(try await database.tester.send("sendMessage", #"{"text":"\#(text)"}"#, user: "alice"))
            }
            let outcome = try await database.tester.send("everyone.history", #"{"limit":2}"#, user: "bob")
            #expect(try events(outcome).map(\.text) == ["2", "3"])
        }
    }
}
