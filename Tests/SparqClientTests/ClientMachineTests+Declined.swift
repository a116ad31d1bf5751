import SparqWire
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

    static func refused(_ id: String, _ code: String) -> [UInt8] {
        Array(#"{"re":"\#(id)","ok":false,"error":{"code":"\#(code)","message":""}}"#.utf8)
    }

    @Test(arguments: ["rate_limited", "unavailable"]) func anUnsubscriptionThatWasRefusedInPassingIsWrittenAgain(code: String) {
        var machine = Self.open()
        for topic in ["a", "b"] { _ = machine.received(Self.event(topic, 3), now: 1) }
        #expect(machine.unsubscribe(["a", "b"]).compactMap(Self.text) == [#"{"type":"unsubscribe","id":"t-1","topics":["a","b"]}"#])
        #expect(machine.received(Self.refused("t-1", code), now: 2).isEmpty)
        #expect(machine.received(Self.event("a", 4), now: 3).isEmpty)
        // One of them is wanted again meanwhile.
        _ = machine.subscribe(["b": nil], token: 1, deadline: 9_000)
        let due = machine.nextTick ?? .max
        #expect(due > 2 && due < 3_000)
        #expect(machine.tick(now: due).compactMap(Self.text) == [#"{"type":"unsubscribe","id":"t-3","topics":["a"]}"#])
        #expect(machine.tick(now: due).isEmpty)
        _ = machine.received(Array(#"{"re":"t-3","ok":true}"#.utf8), now: due)
        #expect(machine.topics.keys.sorted() == ["b"] && machine.unsubscriptions.isEmpty)
        // On its way before the end: none of it is handed on, and the topic does not come back.
        #expect(machine.received(Self.event("a", 5), now: due).isEmpty)
        #expect(machine.received(Array(#"{"type":"$truncated","topic":"a","after":3,"first":9}"#.utf8), now: due).isEmpty)
        #expect(machine.topics["a"] == nil)
    }

    @Test func anUnsubscriptionIsOverWithItsSocket() {
        var machine = Self.open()
        _ = machine.received(Self.event("a", 3), now: 1)
        _ = machine.unsubscribe(["a"])
        _ = machine.received(Self.refused("t-1", "unavailable"), now: 2)
        _ = machine.closed(code: nil, now: 3)
        machine.connected(now: 4)
        #expect(machine.received(Array(Self.welcome.utf8), now: 4).compactMap(Self.text).isEmpty)
        #expect(machine.tick(now: 5_000).compactMap(Self.text).isEmpty)
    }

    /// The server keeps the place of who has a topic already.
    @Test func aCursorThatIsSetBackGivesUpThePlaceFirst() {
        var machine = Self.open()
        _ = machine.subscribe(["a": 0, "b": 0], token: 1, deadline: 9_000)
        let reply = #"{"re":"t-1","ok":true,"data":{"topics":{"a":{"ok":true,"seq":3},"b":{"ok":true,"seq":0}}}}"#
        _ = machine.received(Array(reply.utf8), now: 1)
        for seq in 1...3 { _ = machine.received(Self.event("a", seq), now: 1) }
        let written = machine.subscribe(["a": 1, "b": 0], token: 2, deadline: 9_000).compactMap(Self.text)
        #expect(
            written == [
                #"{"type":"unsubscribe","id":"t-3","topics":["a"]}"#, #"{"type":"subscribe","id":"t-2","topics":{"a":1,"b":0}}"#,
            ]
        )
        // The last is live still; it comes again behind the others.
        #expect([4, 2, 3, 4].map { Self.seqs(machine.received(Self.event("a", $0), now: 2)) } == [[], [2], [3], [4]])
        #expect(machine.counters.gaps == 0 && machine.counters.repeated == 0 && machine.counters.early == 1)
    }

    /// The server may never hear of the end, and would keep the place: what came meanwhile was dropped here.
    @Test func aTopicThatIsWantedAgainAtOnceBeginsAnew() {
        var machine = Self.open()
        for seq in 1...3 { _ = machine.received(Self.event("a", seq), now: 1) }
        #expect(machine.unsubscribe(["a"]).count == 1)
        #expect(machine.received(Self.event("a", 4), now: 1).isEmpty)
        let written = machine.subscribe(["a": 3], token: 2, deadline: 99_000).compactMap(Self.text)
        #expect(written.map { $0.contains("unsubscribe") } == [true, false])
        #expect(machine.received(Self.event("a", 5), now: 1).isEmpty)
        // None of the three was heard.
        for id in ["t-1", "t-3", "t-2"] { #expect(machine.received(Self.refused(id, "unavailable"), now: 2).isEmpty) }
        var texts: [String] = []
        while texts.count < 2, let due = machine.nextTick, due < 10_000 { texts += machine.tick(now: due).compactMap(Self.text) }
        #expect(texts.map { $0.contains("unsubscribe") } == [true, false] && texts.last?.contains(#""a":3"#) ?? false)
        let reply = Array(#"{"re":"t-2","ok":true,"data":{"topics":{"a":{"ok":true,"seq":5}}}}"#.utf8)
        #expect(machine.received(reply, now: 9_000).count == 1)
        #expect([4, 5, 6].map { Self.seqs(machine.received(Self.event("a", $0), now: 9_001)) } == [[4], [5], [6]])
        #expect(machine.counters.gaps == 0)
    }

    @Test func aPlaceThatWasNotGivenUpIsNoReplay() {
        var machine = Self.open()
        _ = machine.received(Self.event("a", 3), now: 1)
        #expect(machine.subscribe(["a": 1], token: 2, deadline: 99_000).compactMap(Self.text).count == 2)
        _ = machine.received(Self.refused("t-2", "rate_limited"), now: 2)
        let reply = Array(#"{"re":"t-1","ok":true,"data":{"topics":{"a":{"ok":true,"seq":3}}}}"#.utf8)
        #expect(machine.received(reply, now: 2).isEmpty)
        #expect(Self.seqs(machine.received(Self.event("a", 4), now: 3)) == [])
        var texts: [String] = []
        while texts.count < 2, let due = machine.nextTick, due < 10_000 { texts += machine.tick(now: due).compactMap(Self.text) }
        #expect(texts.map { $0.contains("unsubscribe") } == [true, false] && texts.last?.contains(#""a":1"#) ?? false)
        #expect(machine.received(reply, now: 9_000) == [.subscribed(token: 2, .success(["a": .subscribed(seq: 3)]))])
        #expect([2, 3, 4].map { Self.seqs(machine.received(Self.event("a", $0), now: 9_001)) } == [[2], [3], [4]])
        #expect(machine.counters.gaps == 0)
    }
}
