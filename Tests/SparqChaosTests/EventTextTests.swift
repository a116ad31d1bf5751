import Testing

@testable import sparq_chaos

@Suite struct EventTextTests {
    @Test func theTokenIsTheFirstWordOfTheText() {
        let event = #"{"type":"room.message","topic":"room:a","seq":3,"data":{"room":"a","from":"ann","text":"c1/7 says something"}}"#
        #expect(EventText.token(in: Array(event.utf8)) == "c1/7")
        #expect(EventText.token(in: Array(#"{"data":{"text": "c1/8"}}"#.utf8)) == "c1/8")
    }

    @Test func anEventWithoutTextHasNone() {
        #expect(EventText.token(in: Array(#"{"type":"room.joined","data":{"user":"text"}}"#.utf8)) == nil)
        #expect(EventText.token(in: []) == nil)
    }

    @Test func whoeverEntersOrLeavesARoomIsAToken() {
        let event = Array(#"{"type":"room.left","topic":"room:a","seq":3,"data":{"user":"ann","room":"a"}}"#.utf8)
        #expect(EventText.token(in: event, type: "room.left") == Draft.leave(room: "a").token(from: "ann"))
        #expect(Draft.create(room: "a").token(from: "ann") == Draft.join(room: "a").token(from: "ann"))
        #expect(Draft.join(room: "a").token(from: "ann") != Draft.leave(room: "a").token(from: "ann"))
        #expect(Draft.join(room: "a").fields(token: "t") == ["room": "a"])
    }

    @Test func aMessageGoesOnceIntoEachOfItsTopics() {
        #expect(Draft.direct(to: "bob").topics(from: "ann") == ["user:bob", "user:ann"])
        #expect(Draft.direct(to: "ann").topics(from: "ann") == ["user:ann"])
        #expect(Draft.room("a").topics(from: "ann") == ["room:a"])
        let json = String(decoding: Draft.room("a").json(id: "i", token: "t"), as: UTF8.self)
        #expect(json == #"{"type":"room.send","id":"i","room":"a","text":"t says something of no importance"}"#)
    }
}
