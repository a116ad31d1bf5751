import SparqWire
import Testing

@testable import SparqWorker

@Suite struct ChangesTests {
    private static let pieces = [
        "a", "room:", "%", "%0A", "\t", "\n", "\r\n", "\u{0}", "\u{7F}", "\u{1F}", " ", "\"", "\\", "ä", "e\u{301}", "\u{301}", "🏳️‍🌈",
        "\u{2028}",
    ]

    private func text(_ generator: inout SeededGenerator) -> String {
        (0..<Int.random(in: 0...6, using: &generator)).map { _ in Self.pieces.randomElement(using: &generator) ?? "" }.joined()
    }

    private func change(_ generator: inout SeededGenerator) -> Change {
        let code = Int.random(in: 1000...4999, using: &generator)
        return switch Int.random(in: 0...8, using: &generator) {
        case 0: .subscribe(text(&generator), from: nil)
        case 1: .subscribe(text(&generator), from: .random(in: .min ... .max, using: &generator))
        case 2: .unsubscribe(text(&generator), user: nil)
        case 3: .unsubscribe(text(&generator), user: text(&generator))
        case 4: .disconnect(nil, code: code, reason: text(&generator))
        case 6: .beginSession(user: text(&generator))
        case 7: .endSession
        case 5: .disconnect(.user(text(&generator)), code: code, reason: text(&generator))
        default: .disconnect(.connection(text(&generator)), code: code, reason: text(&generator))
        }
    }

    @Test(arguments: UInt64(1)...200) func textBringsThemBack(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let list = (1...Int.random(in: 1...8, using: &generator)).map { _ in change(&generator) }
        let origin = Bool.random(using: &generator) ? Changes.Origin(connection: text(&generator), ordinal: 7) : nil
        let changes = Changes(origin: origin, list)
        let text = try #require(changes.text)
        let back = Changes(text: text)
        #expect(back == changes)
        // Strings that are equal in Unicode's eyes may be others.
        #expect(Array((back.text ?? "").utf8) == Array(text.utf8))
        #expect(text.utf8.split(separator: UInt8(ascii: "\n")).count == list.count + (origin == nil ? 0 : 1))
        #expect(text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 || $0 == 0x0A })
    }

    @Test func theTextIsOneChangeALine() {
        let changes = Changes(
            [.subscribe("room:a", from: 3), .unsubscribe("room:b", user: "bob"), .disconnect(nil, code: 4003, reason: "a\nb")],
            of: envelope()
        )
        #expect(changes.text == "origin\tc1\t1\nsubscribe\troom:a\t3\nunsubscribe\troom:b\tbob\ndisconnect\t4003\ta%0Ab")
        #expect(Changes().text == nil)
        #expect(
            Changes(text: "later\tx\nsubscribe\nsubscribe\ta\tx\ndisconnect\tx\t\nsubscribe\ta") == Changes([.subscribe("a", from: nil)])
        )
    }

    @Test func whoSendsAgainChangesOnlyTheOwnConnection() {
        let own: [Change] = [
            .endSession, .subscribe("a", from: nil), .unsubscribe("b", user: nil), .disconnect(nil, code: 4003, reason: ""),
        ]
        let all = own + [.beginSession(user: "bob"), .unsubscribe("a", user: "bob"), .disconnect(.user("bob"), code: 4003, reason: "")]
        let changes = Changes(all, of: envelope(ordinal: 3))
        #expect(changes.again(for: envelope(ordinal: 3)) == all)
        #expect(changes.again(for: envelope(ordinal: 4)) == own)
        #expect(changes.again(for: envelope(connection: "c2", ordinal: 3)) == own)
        #expect(Changes(own, of: envelope()).origin == nil)
    }

    @Test func effectsThatLastAreNoted() throws {
        let unit = try Unit(
            envelope: envelope(),
            effects: [
                .append(to: .room("a"), Note(n: 1)), .send(Note(n: 2)), .publish(to: .room("a"), Note(n: 3)), .unsubscribe(.room("a")),
                .disconnect(.connection("c1"), code: 4000, reason: "r"), .disconnect(.connection("c2")),
            ]
        )
        #expect(
            unit.changes == [
                .unsubscribe("room:a", user: nil), .disconnect(nil, code: 4000, reason: "r"),
                .disconnect(.connection("c2"), code: 4003, reason: ""),
            ]
        )
        #expect(
            unit.instructions.dropFirst() == [
                .unsubscribe(.connection("c1"), ordinal: 1, topics: ["room:a"]),
                .disconnect(.connection("c1"), ordinal: 1, code: 4000, reason: "r"),
            ]
        )
        #expect(unit.remote.count == 1)
        let text = try #require(CommitPlan([unit]).entries.first?.changes)
        // On another connection.
        let again = Repeats.Known(mismatch: false, changes: Changes(text: text)).unit(of: envelope(connection: "c9", ordinal: 5))
        #expect(
            again.instructions == [
                .unsubscribe(.connection("c9"), ordinal: 5, topics: ["room:a"]),
                .disconnect(.connection("c9"), ordinal: 5, code: 4000, reason: "r"),
            ]
        )
        #expect(again.remote.isEmpty)
        #expect(Repeats.Known(mismatch: false, changes: Changes(text: text)).unit(of: envelope()).remote == unit.remote)
    }

    /// What once was right gives nobody a session for ever; what the handler has just found right does.
    @Test func aSessionBeginsAnewOnlyForItsOwnDeliveryOrItsOwnHandler() throws {
        let effects: [Effect] = [.append(to: .room("a"), Note(n: 1)), .beginSession(user: "bob")]
        let text = try #require(try Unit(envelope: envelope(), effects: effects).changesText)
        var known = Repeats.Known(mismatch: false, changes: Changes(text: text))
        let elsewhere = envelope(connection: "c2")
        #expect(known.unit(insteadOf: Unit(envelope: envelope())).session == .begin(user: "bob"))
        #expect(known.unit(insteadOf: Unit(envelope: elsewhere)).session == nil)
        #expect(known.unit(insteadOf: try Unit(envelope: elsewhere, effects: effects)).session == .begin(user: "bob"))
        #expect(known.unit(insteadOf: try Unit(envelope: elsewhere, effects: [.beginSession(user: "eve")])).session == nil)
        known.changes.origin = nil
        #expect(known.unit(insteadOf: Unit(envelope: envelope())).session == nil)
        known.mismatch = true
        #expect(known.unit(insteadOf: try Unit(envelope: elsewhere, effects: effects)).session == nil)
    }

    @Test func whoComesBackIsOfferedThemAgain() {
        let known = Repeats.Known(mismatch: false, changes: Changes([.subscribe("everyone", from: nil)]))
        #expect(known.unit(of: envelope("$connect", #"{"type":"$connect","resume":true}"#)).isOffer)
        #expect(!known.unit(of: envelope("$connect", #"{"type":"$connect"}"#)).isOffer)
    }
}
