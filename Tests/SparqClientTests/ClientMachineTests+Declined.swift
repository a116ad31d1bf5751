import SparqProtocol
import Testing

@testable import SparqClient

/// Topics that their owner let go of.
extension ClientMachineTests {
    @Test func whatWasLetGoIsNotTakenFromAnOfferWhoeverSubscribedToIt() {
        var machine = Self.open()
        _ = machine.received(Array(#"{"type":"$subscribed","topics":{"user:alice":9}}"#.utf8), now: 0)
        func comeBack() {
            _ = machine.closed(code: nil, now: 1)
            machine.connected(now: 2)
            _ = machine.received(Array(Self.welcome.utf8), now: 2)
        }
        func offered(_ topic: String) -> Bool {
            let offer = Array(#"{"type":"$offered","topics":{"\#(topic)":4}}"#.utf8)
            return machine.received(offer, now: 3).compactMap(Self.text).joined().contains(topic)
        }
        // Its owner's own subscription; the server never named it.
        _ = machine.subscribe(["room:own": nil], token: 1, deadline: 9_000)
        _ = machine.unsubscribe(["room:own", "room:never"])
        comeBack()
        #expect(!offered("room:own") && !offered("room:never") && offered("room:other"))
        // Wanted again, and lost to the server's refusal: no longer let go of.
        let asked = machine.subscribe(["room:own": nil], token: 2, deadline: 9_000).compactMap(Self.text)
        let id = asked.first.flatMap { $0.split(separator: "\"").first { $0.hasPrefix("t-") } } ?? ""
        let refusal = #"{"re":"\#(id)","ok":true,"data":{"topics":{"room:own":{"ok":false,"error":{"code":"forbidden","message":""}}}}}"#
        _ = machine.received(Array(refusal.utf8), now: 4)
        #expect(machine.topics["room:own"] == nil)
        #expect(offered("room:own"))
        // The server itself subscribed it anew.
        _ = machine.received(Array(#"{"type":"$subscribed","topics":{"room:never":4}}"#.utf8), now: 5)
        #expect(machine.declined.count == 0)
    }

    @Test func whatIsLetGoBeforeTheServerTellsOfItIsLeftThen() {
        var machine = Self.open()
        #expect(machine.unsubscribe(["user:alice"]).isEmpty)
        let told = Array(#"{"type":"$subscribed","topics":{"everyone":2,"user:alice":9}}"#.utf8)
        #expect(machine.received(told, now: 1).compactMap(Self.text) == [#"{"type":"unsubscribe","id":"t-1","topics":["user:alice"]}"#])
        #expect(machine.received(Self.event("user:alice", 10), now: 2).isEmpty)
        #expect(!machine.received(Self.event("everyone", 3), now: 2).isEmpty)
        _ = machine.received(Array(#"{"re":"t-1","ok":true}"#.utf8), now: 3)
        #expect(machine.topics.keys.sorted() == ["everyone"] && machine.declined.contains("user:alice"))
    }

    @Test func whatWasLetGoIsRememberedUpToALimit() {
        var machine = Self.open()
        for index in 0..<DeclinedTopics.limit { _ = machine.unsubscribe(["room:\(index)"]) }
        // Let go of again: now the latest.
        _ = machine.unsubscribe(["room:0"])
        _ = machine.unsubscribe(["room:new"])
        #expect(machine.declined.count == DeclinedTopics.limit)
        #expect(["room:0", "room:1", "room:2", "room:new"].map(machine.declined.contains) == [true, false, true, true])
    }
}
