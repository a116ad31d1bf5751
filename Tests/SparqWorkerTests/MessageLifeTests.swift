import Foundation
import SparqWire
import SparqTesting
import Testing

@testable import SparqWorker

/// From the handler's effects to the lines for the nodes.
@Suite struct MessageLifeTests {
    @Test func onlyDurableEffectsOfKnownSendersNeedTheInbox() throws {
        let append: [Effect] = [.append(to: .room("a"), Note(n: 1))]
        #expect(try HandledMessage(envelope(), effects: append).key != nil)
        #expect(try HandledMessage(envelope(user: nil), effects: append).key == nil)
        #expect(try HandledMessage(envelope(id: nil), effects: append).key == nil)
        #expect(try HandledMessage(envelope(id: nil), effects: append).needsCommit)
        #expect(try [MessageOutcome(of: envelope(), effects: [.reply(Note(n: 1)), .send(Note(n: 2))])].deliverable != nil)
        #expect(throws: InvalidTopic.self) { try HandledMessage(envelope(), effects: [.append(to: .room("\u{0}"), Note(n: 1))]) }
    }

    @Test func repliesFollowTheProtocol() throws {
        #expect(try HandledMessage(envelope(), effects: []).rest.reply?.text == #"{"re":"m1","ok":true}"#)
        #expect(try HandledMessage(envelope(id: nil), effects: []).rest.reply == nil)
        #expect(try HandledMessage(envelope(id: nil), effects: [.reply(Note(n: 1))]).rest.reply?.text == #"{"ok":true,"data":{"n":1}}"#)
        #expect(
            CommittedMessage(envelope(), refusal: Refusal(.forbidden, "No.")).rest.reply?.text
                == #"{"re":"m1","ok":false,"error":{"code":"forbidden","message":"No."}}"#
        )
        let first = ReplyBody.success(id: "a", data: nil)
        #expect(ReplyBody.repeated(first, mismatch: true).text == #"{"re":"a","ok":true,"repeat":true,"mismatch":true}"#)
    }

    @Test func onlyConnectionsThatOthersHearOfNeedTheInbox() throws {
        let (open, close) = (envelope(SystemType.connect, id: nil), envelope(SystemType.disconnect, id: nil))
        #expect(try HandledMessage(open, effects: [.subscribe(.room("a"))]).key == nil)
        #expect(try HandledMessage(open, effects: [.publish(to: .room("a"), Note(n: 1))]).key?.id == "$connect")
        let farewell = try HandledMessage(close, effects: [.publish(to: .room("a"), Note(n: 1))])
        #expect(farewell.key?.id == "$disconnect" && farewell.seal?.key?.id == "$connect")
        #expect(farewell.seal?.key == (try HandledMessage(open, effects: [.append(to: .room("a"), Note(n: 1))]).key))
        #expect(try HandledMessage(close, effects: []).seal == nil)
        let seal = try #require(farewell.seal)
        let plan = CommitPlan([seal, farewell])
        #expect(plan.ended == [seal.key?.user] && plan.entries.map(\.key.id) == ["$disconnect"] && plan.isDistinct)
        let late = try HandledMessage(open, effects: [.append(to: .room("a"), Note(n: 1))])
        #expect(!CommitPlan([seal, farewell, late]).isDistinct)
    }

    @Test func aRefusedConnectionIsLeftToItsFront() {
        let message = CommittedMessage(envelope(SystemType.connect, id: nil), refusal: Refusal(.forbidden, "No."))
        #expect(message.rest.reply?.text == #"{"ok":false,"error":{"code":"forbidden","message":"No."}}"#)
        #expect(message.rest.instructions.isEmpty)
    }

    @Test func whatAMessageDoesToItsConnectionTravelsWithItsReply() throws {
        // Many connections at once, and so little room that nearly every one begins a new AMQP message.
        let handled = try (1...20).map { number in
            try HandledMessage(
                envelope(SystemType.connect, ordinal: number, id: nil),
                effects: [.subscribe(.room("a")), .subscribe(.room("b"))]
            )
        }
        let messages = DeliveryPlan(handled.map { .committed(CommittedMessage($0.rest)) }, directory: DirectoryView(), limit: 700).messages
        #expect(messages.count > 5)
        for body in messages.map(\.body) {
            let kinds = try NDJSON.lines(body).map { line in
                switch try Delivery(line: line) {
                case .done: "done"
                case .send: "send"
                case .subscribe: "subscribe"
                default: "?"
                }
            }
            #expect(
                kinds.count.isMultiple(of: 3)
                    && kinds == Array(repeating: ["done", "send", "subscribe"], count: kinds.count / 3).flatMap { $0 }
            )
        }
    }

    /// What a later message of the same connection changes comes behind it.
    @Test func whatAMessageWantsForItsUserStandsBehindIt() throws {
        let handled = [
            try HandledMessage(envelope(ordinal: 1), effects: [.unsubscribe(.room("a"), user: "alice")]),
            try HandledMessage(envelope(ordinal: 2), effects: [.subscribe(.room("a"))]),
        ]
        let own = handled[0].rest.envelope.node
        var directory = DirectoryView()
        directory.allNodes = [own, "another"]
        // So little room that each message begins a new AMQP message.
        for limit in [1 << 20, 10] {
            let messages = DeliveryPlan(handled.map { .committed(CommittedMessage($0.rest)) }, directory: directory, limit: limit).messages
            let kinds = try [own, "another"].map { node in
                try messages.filter { $0.node == node }.map { message in
                    try NDJSON.lines(message.body).map { line in
                        switch try Delivery(line: line) {
                        case .done: "done"
                        case .unsubscribe: "unsubscribe"
                        case .send: "send"
                        case .subscribe: "subscribe"
                        default: "?"
                        }
                    }
                }
            }
            let (first, second) = (["done", "unsubscribe"], ["done", "send", "subscribe"])
            #expect(kinds == [limit == 10 ? [first, second] : [first + second], [["unsubscribe"]]])
            let irreplaceable = messages.filter { $0.body[...].text.contains("unsubscribe") }.map(\.isIrreplaceable)
            #expect(irreplaceable == [true, true])
        }
    }

    @Test func reasonsAreCutBetweenCharacters() {
        #expect("äöü".prefix(utf8Count: 3) == "ä")
        #expect("abc".prefix(utf8Count: 3) == "abc")
    }

    @Test(arguments: [0, 951_782_400_123, 1_709_251_199_999, 1_795_467_241_920, 4_102_444_800_000, -86_400_000])
    func timestampsAreThoseOfTheCalendar(milliseconds: Int) throws {
        let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        #expect(EventBody.timestamp(milliseconds: milliseconds).text == date.formatted(style))
    }

    @Test func aPlanNamesEachTopicOnceInTheOrderOfBytes() throws {
        let messages = [
            try HandledMessage(envelope(id: "m2"), effects: [.append(to: .room("b"), Note(n: 1)), .append(to: .room("a"), Note(n: 2))]),
            try HandledMessage(envelope(user: nil), effects: [.append(to: .room("b"), Note(n: 3))]),
            try HandledMessage(
                envelope(id: "m1"),
                effects: [.subscribe(.room("x")), .subscribe(.room("y")), .append(to: .room("b"), Note(n: 4))]
            ),
        ]
        let plan = CommitPlan(messages)
        #expect(plan.topics == ["room:a", "room:b"])
        #expect(plan.counts == [1, 3])
        #expect(plan.indices == [2, 1, 2, 2])
        #expect(plan.behind == [2, 0, 1, 0])
        #expect(plan.entries.map(\.key.id) == ["m1", "m2"])
        #expect(plan.entries.map(\.first) == [4, 1])
        #expect(plan.entries.map(\.last) == [4, 2])
        #expect(plan.entries.map(\.changes) == ["subscribe\troom:x\nsubscribe\troom:y", nil])
        #expect(plan.isDistinct)
        #expect(!CommitPlan(messages + messages).isDistinct)
    }

    @Test func aTopicThatOthersMayWriteDifferentlyIsRefused() throws {
        #expect(throws: InvalidTopic.self) { try HandledMessage(envelope(), effects: [.append(to: .room("e\u{301}"), Note(n: 1))]) }
        for user in ["e\u{301}", String(repeating: "x", count: 129)] {
            #expect(throws: InvalidTopic.self) { try HandledMessage(envelope(), effects: [.beginSession(user: user)]) }
        }
    }

    @Test func anOutcomeNumbersEvents() throws {
        let messages = [
            try HandledMessage(envelope(), effects: [.append(to: .room("b"), Note(n: 1)), .append(to: .room("a"), Note(n: 2))]),
            try HandledMessage(envelope(id: "m2"), effects: [.append(to: .room("b"), Note(n: 3))]),
        ]
        let plan = CommitPlan(messages)
        let committed = plan.committed(CommitOutcome(heads: [20, 11], time: 0), messages)
        #expect(committed.map { $0.events.map(\.seq) } == [[10, 20], [11]])
        #expect(
            committed[1].events[0].body.text == #"{"type":"note","topic":"room:b","seq":11,"at":"1970-01-01T00:00:00.000Z","data":{"n":3}}"#
        )
    }

    @Test func aRepeatBringsReplyEventsAndSubscriptionsBack() throws {
        let old = Event(topic: "room:a", seq: 4, body: [])
        let reply = Array(#"{"re":"m2","ok":true}"#.utf8)
        let changes = Changes([.subscribe("room:a", from: nil), .subscribe("room:b", from: 2)])
        var known = Repeats.Known(reply: reply, mismatch: false, changes: changes, events: [old])
        var message = known.message(of: envelope(id: "m2"))
        #expect(message.rest.reply?.text == #"{"re":"m2","ok":true,"repeat":true}"#)
        #expect(message.events.map(\.seq) == [4])
        #expect(message.rest.subscriptions.map(\.topic) == ["room:a", "room:b"])
        #expect(message.rest.subscriptions.map(\.from) == [nil, 2])
        known.mismatch = true
        message = known.message(of: envelope(id: "m2"))
        #expect(message.rest.reply?.text == #"{"re":"m2","ok":true,"repeat":true,"mismatch":true}"#)
        #expect(message.events.map(\.seq) == [4])
        #expect(message.rest.subscriptions.isEmpty)
    }

    @Test func nodesHearOfRepliesFirstAndOfEventsLast() throws {
        let rest = try HandledMessage(
            envelope(),
            effects: [
                .publish(to: .room("a"), Note(n: 1)), .send(Note(n: 2)), .subscribe(.room("s")), .unsubscribe(.room("a"), user: "bob"),
                .disconnect(.user("bob")),
            ]
        ).rest
        let message = CommittedMessage(rest, events: [Event(topic: "room:a", seq: 1, body: Array("{}".utf8)[...])])
        let view = DirectoryView(nodes: ["room:a": ["n1", "n2"]], heads: ["room:s": 8], allNodes: ["n2", "n3"])
        let messages = DeliveryPlan([.committed(message)], directory: view, limit: 1 << 20).messages
        var kinds: [String: [String]] = [:]
        for message in messages {
            kinds[message.node] = try NDJSON.lines(message.body).map { line in
                switch try Delivery(line: line) {
                case .event(let event): event.seq == nil ? "ephemeral" : "event"
                case .done: "done"
                case .send(_, _, let body): body.text.contains("$subscribed") ? "subscribed" : "send"
                case .subscribe(_, _, let grants): "subscribe \(grants[0].cursor)"
                case .unsubscribe: "unsubscribe"
                case .disconnect: "disconnect"
                case .page, .synced, .lease, .differs, .postponed: "?"
                }
            }
        }
        #expect(kinds["n1"] == ["done", "send", "subscribed", "subscribe 8", "event", "ephemeral"])
        #expect(kinds["n2"] == ["unsubscribe", "disconnect", "event", "ephemeral"])
        #expect(kinds["n3"] == ["unsubscribe", "disconnect"])
        // What nobody would ask for again survives the broker's end.
        #expect(Set(messages.filter(\.isIrreplaceable).map(\.node)) == ["n2", "n3"])
    }

    /// Being subscribed from now would open a gap below the client's own cursors; not hearing of a new topic would lose it.
    @Test func whoComesBackIsOfferedWhatANewClientIsSubscribedTo() throws {
        for resumes in [true, false] {
            let connect = envelope("$connect", #"{"type":"$connect","resume":\#(resumes)}"#)
            let message = CommittedMessage(
                try HandledMessage(connect, effects: [.subscribe(.everyone), .subscribe(.room("new"), from: 3)]).rest
            )
            #expect(message.needsDirectory)
            let view = DirectoryView(heads: ["everyone": 8, "room:new": 5])
            let body = DeliveryPlan([.committed(message)], directory: view, limit: 1 << 20).messages.first?.body ?? []
            let lines = try NDJSON.lines(body).map { try Delivery(line: $0) }
            let sent = lines.compactMap { if case .send(_, _, let body) = $0 { body.text } else { nil } }
            #expect(sent == [#"{"type":"\#(resumes ? "$offered" : "$subscribed")","topics":{"everyone":8,"room:new":3}}"#])
            #expect(lines.contains { if case .subscribe = $0 { true } else { false } } == !resumes)
        }
    }

    @Test func aPostponedMessageReleasesThoseBehindItButNoDisconnect() throws {
        let postponed = ["post", "$connect"].map { SettledMessage.postponed(envelope($0, ordinal: 7)) }
        let messages = DeliveryPlan(postponed, directory: DirectoryView(), limit: 1 << 20).messages
        #expect(messages.map(\.node) == ["n1"])
        let lines = try NDJSON.lines(messages.first?.body ?? []).map { try Delivery(line: $0) }
        #expect(lines == [.postponed(connection: "c1", ordinal: 7)])
    }

    @Test(arguments: UInt64(1)...20) func plansKeepOrderAndLimit(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var plan = DeliveryPlan(limit: 1000)
        for seq in 1...100 {
            let body = Array(repeating: UInt8(ascii: "1"), count: Int.random(in: 1...400, using: &generator))[...]
            plan.add(.event(Event(topic: "t", seq: seq, body: body)), size: body.count, to: ["a", "b"])
        }
        for node in ["a", "b"] {
            let bodies = plan.messages.filter { $0.node == node }.map(\.body)
            #expect(bodies.allSatisfy { $0.count <= 1000 })
            let seqs = try bodies.flatMap { try NDJSON.lines($0).map { try Delivery(line: $0) } }.map { delivery -> Int? in
                if case .event(let event) = delivery { event.seq } else { nil }
            }
            #expect(seqs == Array(1...100))
        }
    }

    @Test func cursorsMayBeNullNumbersOrNonsense() throws {
        let request = try MessageDecoder.decode(
            SubscribeMessage.self,
            from: Array(#"{"topics":{"a":null,"b":3,"c":1.5,"d":"x","e":-1}}"#.utf8)[...]
        )
        #expect(request.topics == ["a": .now, "b": .after(3), "c": .malformed, "d": .malformed, "e": .after(-1)])
    }
}
