import Foundation
import Sparq
import SparqTesting
import Testing

@testable import Messenger

@Suite struct PresenceTests {
    private struct Word: Decodable {
        var user: String
        var online: Bool
        var at: String
    }

    private struct Reply: Decodable {
        var presence: [Word]
    }

    @Test func saysWhoIsThere() async throws {
        try await Database.lent { database in
            try await database.pool.execute(
                "INSERT INTO directory VALUES ('user:bob', 'n1', 1, 1), ('user:bob', 'n2', 1, 1), ('room:carol', 'n1', 1, 1)"
            )
            let outcome = try await database.tester.send("presence.get", #"{"users":["carol","bob","nobody"]}"#, user: "alice")
            let reply = try JSONDecoder().decode(Reply.self, from: Data(try #require(try outcome.reply).utf8))
            #expect(reply.presence.map(\.user) == ["carol", "bob", "nobody"])
            #expect(reply.presence.map(\.online) == [false, true, false])
            let changed = try await database.tester.send(SystemType.presence, #"{"users":["bob"]}"#)
            let event = try #require(try changed.published.first)
            #expect(event.topic.rawValue == "presence:bob" && event.type == "presence.changed")
            let word = try JSONDecoder().decode(Word.self, from: Data(event.data.utf8))
            #expect(word.user == "bob" && word.online && word.at >= reply.presence[1].at)
        }
    }
}
