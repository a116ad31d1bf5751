import SparqWire
import Testing

@testable import SparqClient

@Suite struct ClientMachineTests {
    static let welcome =
        #"{"type":"$welcome","connection":"k","user":"alice","node":"n","heartbeat_ms":25000,"limits":{"message_bytes":200,"in_flight":2}}"#

    /// A machine with an open session at time 0.
    static func open() -> ClientMachine {
        var machine = ClientMachine(ClientMachine.Configuration(idPrefix: "t", unansweredLimit: 4, seed: 1))
        #expect(machine.start(now: 0) == [.connect(after: 0)])
        machine.connected(now: 0)
        _ = machine.received(Array(welcome.utf8), now: 0)
        return machine
    }

    static func text(_ action: ClientAction?) -> String? {
        if case .write(let bytes)? = action { String(decoding: bytes, as: UTF8.self) } else { nil }
    }

    static func delay(_ actions: [ClientAction]) -> Int? {
        for case .connect(let delay) in actions { return delay }
        return nil
    }

    static func event(_ topic: String, _ seq: Int) -> [UInt8] {
        Array(#"{"type":"note","topic":"\#(topic)","seq":\#(seq),"at":"","data":{}}"#.utf8)
    }

    static func seqs(_ actions: [ClientAction]) -> [Int] {
        actions.compactMap { if case .deliver(.event(let event)) = $0 { event.seq } else { nil } }
    }

    static func finishes(_ actions: [ClientAction]) -> ClientError? {
        for case .finish(let error) in actions { return error }
        return nil
    }

    // MARK: Messages

    @Test func aMessageCarriesTypeIDAndFields() {
        var machine = Self.open()
        let actions = machine.send(type: "room.send", fields: Array(#"{"text":"hi"}"#.utf8), token: 7, deadline: 1_000, now: 0)
        #expect(actions.count == 1 && Self.text(actions.first) == #"{"type":"room.send","id":"t-1","text":"hi"}"#)
        let empty = machine.send(type: "x", fields: Array("{ }".utf8), token: 8, deadline: 1_000, now: 0)
        #expect(Self.text(empty.first) == #"{"type":"x","id":"t-2"}"#)
    }

    @Test func theWindowOfTheServerIsKept() {
        var machine = Self.open()
        for token in 1...2 { #expect(machine.send(type: "x", fields: Array("{}".utf8), token: token, deadline: 1_000, now: 0).count == 1) }
        #expect(machine.send(type: "x", fields: Array("{}".utf8), token: 3, deadline: 1_000, now: 0).isEmpty)
        let actions = machine.received(Array(#"{"re":"t-1","ok":true,"data":{}}"#.utf8), now: 1)
        #expect(actions.count == 2)
        #expect(Self.text(actions.last) == #"{"type":"x","id":"t-3"}"#)
    }

    @Test func moreThanTheLimitIsRefused() {
        var machine = Self.open()
        for token in 1...4 { _ = machine.send(type: "x", fields: Array("{}".utf8), token: token, deadline: 1_000, now: 0) }
        let actions = machine.send(type: "x", fields: Array("{}".utf8), token: 5, deadline: 1_000, now: 0)
        guard case .complete(token: 5, .failure(let error))? = actions.first else { return #expect(Bool(false), "\(actions)") }
        #expect(error.code == .tooManyUnanswered)
    }

    @Test func aMessageOverTheServersLimitIsNotSent() {
        var machine = Self.open()
        let fields = Array(("{\"t\":\"" + String(repeating: "x", count: 200) + "\"}").utf8)
        let actions = machine.send(type: "x", fields: fields, token: 1, deadline: 1_000, now: 0)
        guard case .complete(token: 1, .failure(let error))? = actions.first else { return #expect(Bool(false), "\(actions)") }
        #expect(error.code == .tooLarge)
    }

    @Test func anErrorReplyIsTheCallersButUnavailableIsSentAgain() {
        var machine = Self.open()
        _ = machine.send(type: "x", fields: Array("{}".utf8), token: 1, deadline: 10_000, now: 0)
        let unavailable = Array(#"{"re":"t-1","ok":false,"error":{"code":"unavailable","message":""}}"#.utf8)
        #expect(machine.received(unavailable, now: 10).isEmpty)
        let due = machine.nextTick ?? .max
        #expect(due > 10 && due <= 10 + 200)
        #expect(Self.text(machine.tick(now: due).first) == #"{"type":"x","id":"t-1"}"#)
        let refused = Array(#"{"re":"t-1","ok":false,"error":{"code":"not_a_member","message":"No."}}"#.utf8)
        guard case .complete(token: 1, .failure(let error))? = machine.received(refused, now: due + 1).first else {
            return #expect(Bool(false), "no completion")
        }
        #expect(error.reason == "not_a_member" && error.code == .refused)
    }

    @Test func whatIsTriedAgainGoesInOrderAndHoldsUpWhatIsBehindIt() {
        var machine = Self.open()
        func unavailable(_ id: String) -> [UInt8] {
            Array(#"{"re":"\#(id)","ok":false,"error":{"code":"rate_limited","message":""}}"#.utf8)
        }
        for token in 1...2 { _ = machine.send(type: "x", fields: Array("{}".utf8), token: token, deadline: 99_000, now: 0) }
        #expect(machine.received(unavailable("t-1"), now: 1).isEmpty)
        #expect(machine.send(type: "x", fields: Array("{}".utf8), token: 3, deadline: 99_000, now: 2).isEmpty, "not before the first")
        #expect(machine.received(unavailable("t-2"), now: 2).isEmpty)
        var texts: [String] = []
        while texts.count < 2, let due = machine.nextTick, due < 10_000 { texts += machine.tick(now: due).compactMap(Self.text) }
        #expect(texts == [#"{"type":"x","id":"t-1"}"#, #"{"type":"x","id":"t-2"}"#])
        #expect(machine.counters.resent == 2)
        #expect(
            machine.received(Array(#"{"re":"t-1","ok":true}"#.utf8), now: 10_000).compactMap(Self.text) == [#"{"type":"x","id":"t-3"}"#]
        )
    }

    @Test func theDeadlineEndsTheWaiting() {
        var machine = Self.open()
        _ = machine.send(type: "x", fields: Array("{}".utf8), token: 1, deadline: 500, now: 0)
        #expect(machine.nextTick == 500)
        #expect(machine.tick(now: 499).isEmpty)
        guard case .complete(token: 1, .failure(let error))? = machine.tick(now: 500).first else { return #expect(Bool(false)) }
        #expect(error.code == .deadline)
        #expect(machine.received(Array(#"{"re":"t-1","ok":true,"data":{}}"#.utf8), now: 501).isEmpty)
        #expect(machine.counters.strayReplies == 1)
    }

    @Test func theUnansweredAreSentAgainInOrder() {
        var machine = Self.open()
        for token in 1...3 { _ = machine.send(type: "x", fields: Array("{\"n\":\(token)}".utf8), token: token, deadline: 99_000, now: 0) }
        _ = machine.received(Array(#"{"re":"t-1","ok":true,"data":{}}"#.utf8), now: 1)
        _ = machine.closed(code: nil, now: 2)
        machine.connected(now: 3)
        let texts = machine.received(Array(Self.welcome.utf8), now: 3).compactMap(Self.text)
        #expect(texts == [#"{"type":"x","id":"t-2","n":2}"#, #"{"type":"x","id":"t-3","n":3}"#])
    }

    // MARK: Topics

    @Test func cursorsAreKeptAndSubscribedWithAgain() {
        var machine = Self.open()
        let first = machine.subscribe(["a": 41, "b": nil], token: 1, deadline: 9_000)
        #expect(Self.text(first.first) == #"{"type":"subscribe","id":"t-1","topics":{"a":41,"b":null}}"#)
        let reply = #"{"re":"t-1","ok":true,"data":{"topics":{"a":{"ok":true,"seq":43},"b":{"ok":true,"seq":9}}}}"#
        let outcome: ClientAction = .subscribed(token: 1, .success(["a": .subscribed(seq: 43), "b": .subscribed(seq: 9)]))
        #expect(machine.received(Array(reply.utf8), now: 1) == [outcome])
        #expect(Self.seqs(machine.received(Self.event("a", 42), now: 2)) == [42])
        #expect(Self.seqs(machine.received(Self.event("a", 42), now: 2)) == [])
        #expect(machine.counters.repeated == 1)
        _ = machine.closed(code: 4008, now: 3)
        machine.connected(now: 4)
        let texts = machine.received(Array(Self.welcome.utf8), now: 4).compactMap(Self.text)
        #expect(texts == [#"{"type":"subscribe","id":"t-2","topics":{"a":42,"b":9}}"#])
        // Live events that the server let overtake the backlog come again behind it.
        #expect(Self.seqs(machine.received(Self.event("a", 45), now: 5)) == [])
        #expect(Self.seqs(machine.received(Self.event("a", 43), now: 5)) == [43])
        #expect(machine.counters.gaps == 0 && machine.counters.early == 1)
    }

    @Test func aGapIsReportedAndCounted() {
        var machine = Self.open()
        _ = machine.received(Self.event("a", 5), now: 1)
        let actions = machine.received(Self.event("a", 7), now: 2)
        #expect(actions.first == .deliver(.gap(topic: "a", cursor: 5, seq: 7)))
        #expect(Self.seqs(actions) == [7] && machine.counters.gaps == 1)
    }

    @Test func whatComesBehindALaterOneIsNoRepeat() {
        var machine = Self.open()
        for seq in [5, 8, 7, 7, 8] { _ = machine.received(Self.event("a", seq), now: 1) }
        #expect(machine.counters.inverted == 1 && machine.counters.repeated == 2 && machine.counters.gaps == 1)
    }

    @Test func aSocketThatEndsWithoutAWordIsCounted() {
        var machine = Self.open()
        _ = machine.closed(code: 1012, now: 1)
        machine.connected(now: 2)
        _ = machine.received(Array(Self.welcome.utf8), now: 2)
        _ = machine.received(Array(#"{"type":"$reconnect","after_ms":500}"#.utf8), now: 3)
        _ = machine.closed(code: nil, now: 4)
        #expect(machine.counters.unannounced == 0)
        machine.connected(now: 5)
        _ = machine.closed(code: 1011, now: 6)
        machine.connected(now: 7)
        _ = machine.received(Array(Self.welcome.utf8), now: 7)
        _ = machine.closed(code: nil, now: 8)
        #expect(machine.counters.unannounced == 2)
    }

    @Test func passingErrorsAreCounted() {
        var machine = Self.open()
        _ = machine.send(type: "x", fields: Array("{}".utf8), token: 1, deadline: 99_000, now: 0)
        _ = machine.subscribe(["a": nil], token: 2, deadline: 99_000)
        for id in ["t-1", "t-1", "t-2"] {
            _ = machine.received(Array(#"{"re":"\#(id)","ok":false,"error":{"code":"unavailable"}}"#.utf8), now: 1)
        }
        // The second answer to one writing says nothing new.
        #expect(machine.counters.passing == 2)
    }

    @Test func truncatedMovesTheCursor() {
        var machine = Self.open()
        _ = machine.received(Self.event("a", 3), now: 1)
        let actions = machine.received(Array(#"{"type":"$truncated","topic":"a","after":3,"first":120}"#.utf8), now: 2)
        #expect(actions == [.deliver(.truncated(topic: "a", after: 3, first: 120))])
        #expect(Self.seqs(machine.received(Self.event("a", 120), now: 3)) == [120])
        #expect(machine.counters.gaps == 0)
    }

    @Test func aRefusedTopicIsForgottenTheOthersWork() {
        var machine = Self.open()
        _ = machine.subscribe(["a": 1, "b": 2], token: 1, deadline: 9_000)
        let reply =
            #"{"re":"t-1","ok":true,"data":{"topics":{"a":{"ok":false,"error":{"code":"forbidden","message":""}},"b":{"ok":true,"seq":2}}}}"#
        let outcome: ClientAction = .subscribed(token: 1, .success(["a": .refused(.forbidden), "b": .subscribed(seq: 2)]))
        #expect(machine.received(Array(reply.utf8), now: 1) == [outcome])
        #expect(machine.topics.keys.sorted() == ["b"])
    }

    @Test func aTopicRefusedAfterAReconnectIsToldToTheOwner() {
        var machine = Self.open()
        _ = machine.received(Self.event("a", 3), now: 1)
        _ = machine.closed(code: nil, now: 2)
        machine.connected(now: 3)
        _ = machine.received(Array(Self.welcome.utf8), now: 3)
        let reply = #"{"re":"t-1","ok":true,"data":{"topics":{"a":{"ok":false,"error":{"code":"forbidden"}}}}}"#
        #expect(machine.received(Array(reply.utf8), now: 4) == [.deliver(.lost(topic: "a", reason: .forbidden))])
    }

    @Test func aCursorOfTheOwnersCountsWhereTheServerSubscribedFromNow() {
        var machine = Self.open()
        _ = machine.subscribe(["everyone": 41, "user:alice": 9], token: 1, deadline: 9_000)
        let actions = machine.received(Array(#"{"type":"$subscribed","topics":{"everyone":57,"user:alice":9}}"#.utf8), now: 0)
        // The subscription is on its way with the cursor; a second one would bring all of it twice.
        #expect(actions.isEmpty)
        // Live, before our place is taken; then from the cursor on, without a gap.
        #expect([58, 42, 43].map { Self.seqs(machine.received(Self.event("everyone", $0), now: 0)) } == [[], [42], [43]])
        #expect(machine.counters.gaps == 0)
    }

    @Test func whatIsNewSinceIsTakenFromTheOffer() {
        var machine = Self.open()
        _ = machine.received(Array(#"{"type":"$subscribed","topics":{"everyone":57,"user:alice":9}}"#.utf8), now: 0)
        _ = machine.received(Self.event("user:alice", 10), now: 0)
        _ = machine.unsubscribe(["everyone"])
        func comeBack() -> [String] {
            _ = machine.closed(code: nil, now: 1)
            machine.connected(now: 2)
            return machine.received(Array(Self.welcome.utf8), now: 2).compactMap(Self.text)
        }
        let offer = Array(#"{"type":"$offered","topics":{"everyone":60,"user:alice":12,"room:new":4}}"#.utf8)
        #expect(machine.resumes)
        #expect(comeBack() == [#"{"type":"subscribe","id":"t-2","topics":{"user:alice":10}}"#])
        // Neither what it has (with its own, older cursor) nor what its owner let go of.
        #expect(machine.received(offer, now: 3).compactMap(Self.text) == [#"{"type":"subscribe","id":"t-3","topics":{"room:new":4}}"#])
        #expect(machine.received(offer, now: 3).isEmpty)
        #expect([5, 5, 6].map { Self.seqs(machine.received(Self.event("room:new", $0), now: 4)) } == [[5], [], [6]])
        // From then on it is a topic like all others.
        #expect(comeBack() == [#"{"type":"subscribe","id":"t-4","topics":{"room:new":6,"user:alice":10}}"#])
        // Who subscribes again wants it again.
        _ = machine.subscribe(["everyone": nil], token: 1, deadline: 9_000)
        #expect(comeBack().joined().contains("everyone"))
        #expect(machine.declined.count == 0)
    }

    @Test func nothingOfAnUnsubscribedTopicIsHandedOn() {
        var machine = Self.open()
        _ = machine.received(Self.event("a", 3), now: 1)
        #expect(machine.unsubscribe(["a", "zzz"]).compactMap(Self.text) == [#"{"type":"unsubscribe","id":"t-1","topics":["a"]}"#])
        #expect(machine.received(Self.event("a", 4), now: 2).isEmpty)
        _ = machine.received(Array(#"{"re":"t-1","ok":true}"#.utf8), now: 3)
        #expect(machine.topics.isEmpty)
    }

    @Test func manyTopicsAreSubscribedInParts() {
        var machine = Self.open()
        for number in 0..<250 { _ = machine.received(Self.event("t\(number)", 1), now: 1) }
        _ = machine.closed(code: nil, now: 2)
        machine.connected(now: 3)
        #expect(machine.received(Array(Self.welcome.utf8), now: 3).compactMap(Self.text).count == 3)
    }

    // MARK: Sockets

    @Test(arguments: [1002, 1003, 1007, 4001, 4003])
    func afterTheseCodesTheClientStaysAway(code: Int) {
        var machine = Self.open()
        _ = machine.send(type: "x", fields: Array("{}".utf8), token: 1, deadline: 10_000, now: 0)
        let actions = machine.closed(code: code, now: 1)
        #expect(Self.delay(actions) == nil)
        #expect(Self.finishes(actions)?.closeCode == code)
        #expect(Self.finishes(actions)?.code == (code == 4001 ? .unauthenticated : .gaveUp))
        #expect(actions.contains { if case .complete(token: 1, .failure) = $0 { true } else { false } }, "a caller hangs")
        #expect(machine.phase == .finished)
    }

    @Test(arguments: [1011, 1013])
    func afterTheseCodesTheClientWaitsASecondAndMore(code: Int) {
        for seed in 0..<50 {
            var machine = ClientMachine(ClientMachine.Configuration(idPrefix: "t", seed: UInt64(seed)))
            _ = machine.start(now: 0)
            var bound = 1_000
            for _ in 0..<4 {
                machine.connected(now: 0)
                guard let delay = Self.delay(machine.closed(code: code, now: 0)) else { return #expect(Bool(false), "no reconnect") }
                #expect((1_000...(1_000 + bound)).contains(delay))
                bound *= 2
            }
        }
    }

    @Test(arguments: [nil, 1000, 1001, 4008, 4009])
    func afterTheseCodesTheClientComesBackWithJitter(code: Int?) {
        var machine = Self.open()
        guard let delay = Self.delay(machine.closed(code: code, now: 1)) else { return #expect(Bool(false), "no reconnect") }
        #expect((0...100).contains(delay))
    }

    @Test func aDrainingFrontIsLeftAtTheTimeThatItGave() {
        var machine = Self.open()
        _ = machine.received(Array(#"{"type":"$reconnect","after_ms":1200}"#.utf8), now: 100)
        #expect(machine.nextTick == 1_300)
        #expect(machine.tick(now: 1_299).isEmpty)
        let actions = machine.tick(now: 1_300)
        #expect(actions.first == .disconnect(code: 1001) && Self.delay(actions) == 0)
    }

    @Test func closeCode1012ComesBackWithinTheTimeThatReconnectGave() {
        var machine = Self.open()
        _ = machine.received(Array(#"{"type":"$reconnect","after_ms":1200}"#.utf8), now: 100)
        #expect(Self.delay(machine.closed(code: 1012, now: 300)) == 1_000)
    }

    @Test func closeCode1009GivesUpTheLargestMessageAlone() {
        var machine = Self.open()
        _ = machine.send(type: "x", fields: Array(#"{"a":"small"}"#.utf8), token: 1, deadline: 10_000, now: 0)
        _ = machine.send(type: "x", fields: Array(#"{"a":"a good deal larger"}"#.utf8), token: 2, deadline: 10_000, now: 0)
        let actions = machine.closed(code: 1009, now: 1)
        #expect(actions.contains { if case .complete(token: 2, .failure(let error)) = $0 { error.code == .tooLarge } else { false } })
        #expect(Self.delay(actions) != nil && machine.requests.count == 1)
    }

    @Test func aSilentPeerIsDead() {
        var machine = Self.open()
        machine.heard(now: 20_000)
        #expect(machine.tick(now: 54_999).isEmpty)
        let actions = machine.tick(now: 55_000)
        #expect(actions.first == .disconnect(code: nil) && Self.delay(actions) != nil)
    }

    @Test func aSocketWithoutWelcomeIsLeft() {
        var machine = ClientMachine(ClientMachine.Configuration(idPrefix: "t", seed: 1))
        _ = machine.start(now: 0)
        machine.connected(now: 0)
        let actions = machine.tick(now: 10_000)
        #expect(actions.first == .disconnect(code: nil) && Self.delay(actions) != nil)
    }

    @Test func aRefusedUpgradeEndsOrWaitsByItsStatus() {
        func failed(_ status: Int?) -> [ClientAction] {
            var machine = ClientMachine(ClientMachine.Configuration(idPrefix: "t", seed: 1))
            _ = machine.start(now: 0)
            return machine.connectFailed(status: status, now: 0)
        }
        #expect(Self.finishes(failed(401))?.code == .unauthenticated)
        for status in [400, 403] { #expect(Self.finishes(failed(status))?.code == .gaveUp) }
        // A balancer's, or a front's that goes away.
        for status in [404, 405, 408, 421, 426, 429, 502] { #expect(Self.delay(failed(status)) != nil, "\(status)") }
        #expect((1_000...2_000).contains(Self.delay(failed(503)) ?? 0))
        #expect((0...100).contains(Self.delay(failed(nil)) ?? -1))
        #expect(Self.delay(failed(500)) != nil)
    }

    @Test func aCertificateThatIsNotTrustedEndsTheClient() {
        var machine = ClientMachine(ClientMachine.Configuration(idPrefix: "t", seed: 1))
        _ = machine.send(type: "x", fields: Array("{}".utf8), token: 1, deadline: 10_000, now: 0)
        _ = machine.start(now: 0)
        let actions = machine.distrusted("another name")
        #expect(Self.finishes(actions)?.code == .untrusted && actions.count == 2 && Self.delay(actions) == nil)
    }

    @Test func closingEndsEveryCall() {
        var machine = Self.open()
        _ = machine.send(type: "x", fields: Array("{}".utf8), token: 1, deadline: 10_000, now: 0)
        _ = machine.subscribe(["a": nil], token: 2, deadline: 10_000)
        let actions = machine.close()
        #expect(actions.first == .disconnect(code: 1000) && actions.last == .finish(nil) && actions.count == 4)
        #expect(machine.nextTick == nil)
        guard case .complete(token: 3, .failure(let error))? = machine.send(type: "x", fields: [], token: 3, deadline: 1, now: 0).first
        else {
            return #expect(Bool(false))
        }
        #expect(error.code == .closed)
    }
}
