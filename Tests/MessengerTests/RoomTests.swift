import Sparq
import SparqTesting
import Testing

@testable import Messenger

@Suite struct RoomTests {
    private func subscribed(_ outcome: Outcome) -> [String] {
        outcome.effects.compactMap { if case .subscribe(let topic, _) = $0 { topic.rawValue } else { nil } }
    }

    @Test func whoeverCreatesARoomIsInIt() async throws {
        try await Database.lent { database in
            let outcome = try await database.tester.send("room.create", #"{"room":"Lobby"}"#, user: "alice")
            #expect(try outcome.reply == #"{"room":"lobby"}"#)
            #expect(subscribed(outcome) == ["room:lobby"])
            #expect(try outcome.appended.map(\.topic) == [.room("lobby"), .user("alice")])
            let event = try #require(try outcome.appended.first)
            #expect(event.type == "room.joined")
            #expect(event.fields == ["room": "lobby", "user": "alice"])
            #expect(try await database.tester.send("room.send", #"{"room":"lobby","text":"hi"}"#, user: "alice").refusal == nil)
        }
    }

    @Test func aTakenRoomIsAConflict() async throws {
        try await Database.lent { database in
            _ = try await database.tester.send("room.create", #"{"room":"lobby"}"#, user: "alice")
            let outcome = try await database.tester.send("room.create", #"{"room":"lobby"}"#, user: "bob")
            #expect(outcome.refusal?.code == .conflict)
            #expect(try await database.count("members") == 1)
        }
    }

    @Test func joiningTwiceTellsTheRoomOnce() async throws {
        try await Database.lent { database in
            _ = try await database.tester.send("room.create", #"{"room":"lobby"}"#, user: "alice")
            let first = try await database.tester.send("room.join", #"{"room":"lobby"}"#, user: "bob")
            let second = try await database.tester.send("room.join", #"{"room":"lobby"}"#, user: "bob")
            // The user's own topic has it too, so that their other devices follow.
            #expect(try first.appended.map(\.type) == ["room.joined", "user.joined"])
            #expect(try first.appended.last == AppendedEvent(topic: .user("bob"), type: "user.joined", data: #"{"room":"lobby"}"#))
            #expect(try second.appended.isEmpty)
            for outcome in [first, second] {
                #expect(subscribed(outcome) == ["room:lobby"])
                #expect(try outcome.reply == #"{"room":"lobby"}"#)
            }
            #expect(try await database.count("members") == 2)
        }
    }

    @Test(arguments: ["room.create", "room.join", "room.leave"])
    func badNames(_ type: String) async throws {
        try await Database.lent { database in
            for json in ["{}", #"{"room":7}"#, #"{"room":""}"#, #"{"room":"a b"}"#, #"{"room":"\#(String(repeating: "r", count: 65))"}"#] {
                let outcome = try await database.tester.send(type, json, user: "alice")
                #expect(outcome.refusal?.code == .invalidFields)
            }
            #expect(try await database.count("rooms") == 0)
        }
    }

    @Test func aRoomThatIsNotThere() async throws {
        try await Database.lent { database in
            for (type, code) in [("room.join", ErrorCode.notFound), ("room.leave", .notFound), ("room.history", .notAMember)] {
                #expect(try await database.tester.send(type, #"{"room":"nowhere"}"#, user: "alice").refusal?.code == code)
            }
            let sent = try await database.tester.send("room.send", #"{"room":"nowhere","text":"hi"}"#, user: "alice")
            #expect(sent.refusal?.code == .notAMember)
        }
    }

    @Test func onlyMembersWriteReadAndListen() async throws {
        try await Database.lent { database in
            let tester = database.tester
            _ = try await tester.send("room.create", #"{"room":"lobby"}"#, user: "alice")
            let sent = try await tester.send("room.send", #"{"room":"lobby","text":" hi "}"#, user: "alice")
            #expect(try sent.appended.map(\.fields) == [["room": "lobby", "from": "alice", "text": "hi"]])
            #expect(try sent.appended.map(\.topic) == [.room("lobby")])
            #expect(try sent.reply == "{}")
            #expect(try await tester.send("room.send", #"{"room":"lobby","text":"hi"}"#, user: "bob").refusal?.code == .notAMember)
            #expect(try await tester.send("room.history", #"{"room":"lobby"}"#, user: "bob").refusal?.code == .notAMember)
            #expect(try await tester.send("room.leave", #"{"room":"lobby"}"#, user: "bob").refusal?.code == .notAMember)
            #expect(try await tester.subscribe(to: .room("lobby"), user: "alice") == nil)
            #expect(try await tester.subscribe(to: .room("lobby"), user: "bob")?.code == .notAMember)
            #expect(try await tester.subscribe(to: .room(""), user: "alice")?.code == .notAMember)
        }
    }

    @Test func leavingEndsItOnAllConnections() async throws {
        try await Database.lent { database in
            let tester = database.tester
            _ = try await tester.send("room.create", #"{"room":"lobby"}"#, user: "alice")
            let outcome = try await tester.send("room.leave", #"{"room":"lobby"}"#, user: "alice")
            #expect(try outcome.appended.map(\.type) == ["room.left", "user.left"])
            #expect(try outcome.appended.map(\.topic) == [.room("lobby"), .user("alice")])
            #expect(try outcome.appended.map(\.fields) == [["room": "lobby", "user": "alice"], ["room": "lobby"]])
            let ends = outcome.effects.contains { effect in
                if case .unsubscribe(let topic, let user) = effect { topic == .room("lobby") && user == "alice" } else { false }
            }
            #expect(ends)
            #expect(try await tester.send("room.send", #"{"room":"lobby","text":"hi"}"#, user: "alice").refusal?.code == .notAMember)
            #expect(try await tester.send("room.join", #"{"room":"lobby"}"#, user: "alice").refusal == nil)
        }
    }

    @Test func membershipOfACrowdIsAskedTogether() async throws {
        try await Database.lent { database in
            for room in ["a", "b"] { _ = try await database.tester.send("room.create", #"{"room":"\#(room)"}"#, user: room) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        let (room, user) = (index.isMultiple(of: 2) ? "a" : "b", index.isMultiple(of: 3) ? "a" : "b")
                        let outcome = try await database.tester.send("room.send", #"{"room":"\#(room)","text":"hi"}"#, user: user)
                        #expect((outcome.refusal == nil) == (room == user))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func historyComesInPagesAsClientsGetEvents() async throws {
        try await Database.lent { database in
            let tester = database.tester
            try await database.log(try await tester.send("room.create", #"{"room":"lobby"}"#, user: "alice"))
            for number in 2...7 {
                try await database.log(try await tester.send("room.send", #"{"room":"lobby","text":"\"\#(number)\""}"#, user: "alice"))
            }
            let newest = try await tester.send("room.history", #"{"room":"lobby","limit":3}"#, user: "alice")
            #expect(try events(newest).map(\.seq) == [5, 6, 7])
            #expect(try events(newest).map(\.text) == ["\"5\"", "\"6\"", "\"7\""])
            #expect(try object(newest.reply)["more"] as? Bool == true)
            let event = try #require((try object(newest.reply)["events"] as? [[String: Any]])?.last)
            #expect(Set(event.keys) == ["type", "topic", "seq", "at", "data"])
            #expect(event["type"] as? String == "room.message")
            #expect(event["topic"] as? String == "room:lobby")
            #expect(event["at"] as? String == "2026-01-31T12:00:00.007Z")
            let older = try await tester.send("room.history", #"{"room":"lobby","before":5}"#, user: "alice")
            #expect(try events(older).map(\.seq) == [1, 2, 3, 4])
            #expect(try object(older.reply)["more"] as? Bool == false)
            // What retention has given up is not shown, even where it is still there.
            try await database.pool.execute("UPDATE topics SET floor = 5 WHERE topic = 'room:lobby'")
            #expect(try events(try await tester.send("room.history", #"{"room":"lobby"}"#, user: "alice")).map(\.seq) == [6, 7])
        }
    }

    @Test func historyIsBoundedInBytesToo() async throws {
        try await Database.lent { database in
            _ = try await database.tester.send("room.create", #"{"room":"lobby"}"#, user: "alice")
            let text = String(repeating: "x", count: 4000)
            for _ in 0..<80 {
                let data = #"{"room":"lobby","from":"alice","text":"\#(text)"}"#
                try await database.log(AppendedEvent(topic: .room("lobby"), type: "room.message", data: data))
            }
            let outcome = try await database.tester.send("room.history", #"{"room":"lobby","limit":100}"#, user: "alice")
            let bytes = try #require(try outcome.reply).utf8.count
            #expect((200_000...264_000).contains(bytes))
            #expect(try events(outcome).last?.seq == 80)
            #expect(try object(outcome.reply)["more"] as? Bool == true)
        }
    }

    @Test func lists() async throws {
        try await Database.lent { database in
            let tester = database.tester
            #expect(try await tester.send("room.list", user: "alice").reply == #"{"rooms":[]}"#)
            for room in ["b", "a", "c"] {
                try await database.log(try await tester.send("room.create", #"{"room":"\#(room)"}"#, user: room == "c" ? "bob" : "alice"))
            }
            try await database.log(try await tester.send("room.send", #"{"room":"a","text":"hi"}"#, user: "alice"))
            let mine = try #require(try object(try await tester.send("room.list", user: "alice").reply)["rooms"] as? [[String: Any]])
            #expect(mine.map { $0["room"] as? String } == ["a", "b"])
            #expect(mine.map { $0["seq"] as? Int } == [2, 1])
            #expect(mine.map { $0["owner"] as? String } == ["alice", "alice"])
            let all = try object(try await tester.send("room.list", #"{"all":true}"#, user: "alice").reply)
            #expect((all["rooms"] as? [[String: Any]])?.map { $0["room"] as? String } == ["a", "b", "c"])
            #expect(all["next"] == nil)
        }
    }

    @Test func allRoomsComeInPages() async throws {
        try await Database.lent { database in
            try await database.pool.execute(
                "INSERT INTO rooms (name, owner) SELECT 'r' || lpad(n::text, 3, '0'), 'alice' FROM generate_series(1, 150) n"
            )
            let first = try object(try await database.tester.send("room.list", #"{"all":true}"#, user: "bob").reply)
            #expect((first["rooms"] as? [Any])?.count == 100)
            let next = try #require(first["next"] as? String)
            #expect(next == "r100")
            let second = try object(try await database.tester.send("room.list", #"{"all":true,"after":"\#(next)"}"#, user: "bob").reply)
            #expect((second["rooms"] as? [Any])?.count == 50)
            #expect(second["next"] == nil)
        }
    }
}
