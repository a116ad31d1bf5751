import Testing

@testable import SparqWire

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
        for form in [\Changes.json, \Changes.lines] {
            let text = try #require(changes[keyPath: form])
            let back = Changes(text: text)
            #expect(back == changes)
            // Strings that are equal in Unicode's eyes may be others.
            #expect(Array((back[keyPath: form] ?? "").utf8) == Array(text.utf8))
            // The database's text has no U+0000.
            #expect(text.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x09 || $0 == 0x0A })
        }
    }

    @Test func theTextIsOneJSONObject() {
        let changes = Changes(
            origin: Changes.Origin(connection: "c1", ordinal: 1),
            [
                .subscribe("room:a", from: 3), .subscribe("room:b", from: nil), .unsubscribe("room:b", user: "bob"),
                .unsubscribe("room:c", user: nil), .disconnect(nil, code: 4003, reason: "a\nb"),
                .disconnect(.user("bob"), code: 4001, reason: ""),
                .disconnect(.connection("c2"), code: 4003, reason: ""), .beginSession(user: "bob"), .endSession,
            ]
        )
        let kinds = [
            #"{"kind":"subscribe","topic":"room:a","from":3}"#, #"{"kind":"subscribe","topic":"room:b"}"#,
            #"{"kind":"unsubscribe","topic":"room:b","user":"bob"}"#, #"{"kind":"unsubscribe","topic":"room:c"}"#,
            #"{"kind":"disconnect","code":4003,"reason":"a\nb"}"#, #"{"kind":"disconnect","code":4001,"reason":"","user":"bob"}"#,
            #"{"kind":"disconnect","code":4003,"reason":"","connection":"c2"}"#, #"{"kind":"begin","user":"bob"}"#, #"{"kind":"end"}"#,
        ]
        #expect(changes.json == #"{"origin":{"connection":"c1","n":1},"changes":["# + kinds.joined(separator: ",") + "]}")
        #expect(Changes([.endSession]).json == #"{"changes":[{"kind":"end"}]}"#)
        #expect(Changes().json == nil && Changes().lines == nil)
    }

    @Test func whatLaterVersionsAddIsPassedOver() {
        let later = #"{"v":2,"changes":[{"kind":"mute","topic":"a"},{"kind":"subscribe","topic":"a","quietly":true},{"kind":"subscribe"}]}"#
        #expect(Changes(text: later) == Changes([.subscribe("a", from: nil)]))
        #expect(Changes(text: #"{"changes":["#) == Changes() && Changes(text: "{}") == Changes() && Changes(text: "") == Changes())
    }

    /// What workers of the version before write into the inbox, and read there.
    @Test func linesAreReadAndWritten() {
        let text = """
            origin\tc1\t7
            subscribe\troom:a
            subscribe\troom:b%09%25\t3
            unsubscribe\troom:b
            unsubscribe\troom:b\tbob
            disconnect\t4003\ta%0Ab
            disconnect-user\t4001\t\tbob
            disconnect-connection\t4000\tr\tc2
            begin-session\tbo%00b
            end-session
            """
        let changes = Changes(
            origin: Changes.Origin(connection: "c1", ordinal: 7),
            [
                .subscribe("room:a", from: nil), .subscribe("room:b\t%", from: 3), .unsubscribe("room:b", user: nil),
                .unsubscribe("room:b", user: "bob"), .disconnect(nil, code: 4003, reason: "a\nb"),
                .disconnect(.user("bob"), code: 4001, reason: ""), .disconnect(.connection("c2"), code: 4000, reason: "r"),
                .beginSession(user: "bo\u{0}b"), .endSession,
            ]
        )
        #expect(Changes(text: text) == changes && changes.lines == text)
        #expect(
            Changes(text: "later\tx\nsubscribe\nsubscribe\ta\tx\ndisconnect\tx\t\nsubscribe\ta") == Changes([.subscribe("a", from: nil)])
        )
    }
}
