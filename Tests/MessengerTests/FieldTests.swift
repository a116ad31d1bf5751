import Sparq
import SparqTesting
import Testing

@testable import Messenger

/// Fields that do not fit are refused before anything is asked of a database: these tests have none. Types that need a transaction are
/// tested in RoomTests.
@Suite struct FieldTests {
    let tester = HandlerTester(.messenger())

    @Test(arguments: [
        ("sendMessage", "{}"), ("sendMessage", #"{"text":1}"#), ("sendMessage", #"{"text":null}"#), ("sendMessage", #"{"text":""}"#),
        ("sendMessage", #"{"text":" \n\t\u00a0"}"#), ("sendMessage", #"{"text":"a\u0000b"}"#),
        ("everyone.history", #"{"limit":0}"#), ("everyone.history", #"{"limit":101}"#), ("everyone.history", #"{"before":0}"#),
        ("everyone.history", #"{"before":"1"}"#), ("everyone.history", #"{"limit":1.5}"#),
        ("auth.register", "{}"), ("auth.register", #"{"user":"al","password":"password"}"#),
        ("auth.register", #"{"user":"al ice","password":"password"}"#), ("auth.register", #"{"user":"älice","password":"password"}"#),
        ("auth.register", #"{"user":"alice:","password":"password"}"#), ("auth.register", #"{"user":["alice"],"password":"password"}"#),
        ("auth.register", #"{"user":"\#(String(repeating: "a", count: 33))","password":"password"}"#),
        ("auth.register", #"{"user":"alice"}"#), ("auth.register", #"{"user":"alice","password":"1234567"}"#),
        ("auth.register", #"{"user":"alice","password":12345678}"#),
        ("auth.register", #"{"user":"alice","password":"\#(String(repeating: "p", count: 257))"}"#),
        ("auth.login", #"{"user":"alice"}"#), ("auth.login", #"{"user":1,"password":"password"}"#),
        ("room.send", #"{"room":"lobby"}"#), ("room.send", #"{"text":"hi"}"#), ("room.send", #"{"room":"lobby","text":" "}"#),
        ("room.history", #"{"room":"lobby","limit":1000}"#), ("room.history", "{}"), ("room.list", #"{"all":"yes"}"#),
        ("direct.send", #"{"to":"bob"}"#), ("direct.send", #"{"to":"b","text":"hi"}"#), ("direct.send", #"{"to":"bob","text":""}"#),
        ("presence.get", "{}"), ("presence.get", #"{"users":[]}"#), ("presence.get", #"{"users":"bob"}"#),
        ("presence.get", #"{"users":["bob",""]}"#), ("presence.get", #"{"users":["a\u0000"]}"#),
        ("presence.get", #"{"users":["\#(String(repeating: #"bob",""#, count: 512))bob"]}"#),
        ("direct.history", #"{"with":"b"}"#), ("direct.history", #"{"with":"bob","limit":-1}"#),
    ])
    func badFields(_ type: String, _ json: String) async throws {
        let refusal = try #require(try await tester.send(type, json, user: "alice").refusal)
        #expect(refusal.code == .invalidFields)
        #expect(refusal.message.hasSuffix("."))
    }

    @Test(arguments: [
        "who", "sendMessage", "everyone.history", "room.create", "room.join", "room.leave", "room.send", "room.history", "room.list",
        "direct.send", "direct.history", "presence.get",
    ])
    func anonymousClientsMustLogIn(_ type: String) async throws {
        #expect(try await tester.send(type, "{}").refusal?.code == .unauthenticated)
    }

    @Test func textMayHave4000BytesAndNotOneMore() async throws {
        let longest = String(repeating: "é", count: 2000)
        let outcome = try await tester.send("sendMessage", #"{"text":"  \#(longest)\n"}"#, user: "alice")
        #expect(try outcome.appended.first?.fields == ["from": "alice", "text": longest])
        let refused = try await tester.send("sendMessage", #"{"text":"\#(longest)a"}"#, user: "alice")
        #expect(refused.refusal?.code == .invalidFields)
    }

    @Test func theOriginalsMessageNeedsNoAccount() async throws {
        let outcome = try await tester.send(
            "sendMessage",
            #"{"type":"sendMessage","text":"  Hello <b>you</b>  "}"#,
            user: "Some One",
            id: nil
        )
        let event = try #require(try outcome.appended.first)
        #expect(try outcome.appended.count == 1)
        #expect(event.topic == .everyone)
        #expect(event.type == "message")
        #expect(event.fields == ["from": "Some One", "text": "Hello <b>you</b>"])
        #expect(try outcome.reply == "{}")
    }

    @Test func whoIsWho() async throws {
        #expect(try await tester.send("who", user: "alice").reply == #"{"user":"alice"}"#)
    }

    @Test func loggingOutEndsTheSession() async throws {
        let outcome = try await tester.send("auth.logout", user: "alice")
        let ends = outcome.effects.contains { if case .endSession = $0 { true } else { false } }
        #expect(ends)
        #expect(try outcome.reply == "{}")
    }
}
