import Foundation
import SparqWire
import Testing

@Suite struct NamesTests {
    @Test func theLaneMapTakesTheFirstMatch() throws {
        let map = try LaneMap("media=media.*, auth=auth.login,rest=media.x")
        #expect(map.names == ["default", "node", "media", "auth", "rest"])
        #expect(map.lane(for: "media.upload") == "media")
        #expect(map.lane(for: "media.x") == "media")
        #expect(map.lane(for: "auth.login") == "auth")
        #expect(map.lane(for: "auth.logins") == "default")
        #expect(map.lane(for: "media") == "default")
        #expect(try LaneMap("").names == ["default", "node"])
    }

    @Test func whatNodesSendHasAPoolOfItsOwn() throws {
        let map = try LaneMap("mine=$*")
        for type in ["$lease", "$sync", "$leave", "$read"] { #expect(map.lane(for: type) == "node") }
        #expect(map.lane(for: "$connect") == "mine")
        #expect(try LaneMap("").lane(for: "$disconnect") == "default")
        #expect { try LaneMap("a=b,node=c") } throws: { "\($0)".contains("for what fronts send by themselves") }
    }

    @Test(arguments: ["media", "=x", "media=", "a=b*c", "a=*x"])
    func aMalformedLaneMapIsNamed(setting: String) {
        #expect(throws: LaneMap.SyntaxError.self) { try LaneMap(setting) }
    }

    @Test func topicsHaveAKindAndAnId() {
        #expect(Topic(rawValue: "room:a:b").kind == "room")
        #expect(Topic(rawValue: "room:a:b").id == "a:b")
        #expect(Topic.everyone.kind == "everyone")
        #expect(Topic.everyone.id == "")
        #expect(!Topic(rawValue: "").isValid)
        for control in ["\n", "\u{0}", "\u{7F}", "\u{80}", "\u{85}", "\u{9B}", "\u{9F}"] {
            #expect(!Topic(rawValue: "a\(control)b").isValid)
        }
        for other in ["\u{A0}", "\u{BF}", "\u{C0}", "\u{480}"] { #expect(Topic(rawValue: "a\(other)b").isValid) }
        #expect(!Topic(rawValue: String(repeating: "x", count: 257)).isValid)
        #expect(Topic.user("ü").isValid)
    }

    /// é; ü; Å as the unit Ångström; Hangul in parts; a Bengali vowel in parts; marks in another order.
    @Test(arguments: [
        "e\u{301}", "u\u{308}", "\u{212B}", "\u{1112}\u{1161}\u{11AB}", "\u{D558}\u{11AB}", "\u{9C7}\u{9BE}", "x\u{301}\u{323}",
    ])
    func ofEqualNamesOneIsATopics(id: String) {
        let composed = id.decomposedStringWithCanonicalMapping.precomposedStringWithCanonicalMapping
        #expect(Topic.user(id) == Topic.user(composed) && !id.utf8.elementsEqual(composed.utf8))
        #expect(!Topic.user(id).isValid)
        #expect(Topic.user(composed).isValid)
    }

    @Test(arguments: [
        "alice", "Ольга", "日本語", "ガ", "한국", "नमस्ते", "কো", "ไทย", "Nguyễn", "שלום", "مُحَمَّد", "👩🏽‍🚀", "🇪🇺", "q\u{323}\u{304}",
    ])
    func whatPeopleWriteIsATopicsName(id: String) { #expect(Topic.user(id).isValid) }

    /// Whatever is put together: of valid names, those that are equal to Swift are equal byte by byte.
    @Test(arguments: 0..<8 as Range<UInt64>) func equalTopicsHaveEqualBytes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let scalars: [UnicodeScalar] = [
            "a", "e", "é", "ẽ", "K", "\u{300}", "\u{301}", "\u{303}", "\u{323}", "\u{327}", "\u{212A}", "\u{1100}", "\u{1161}", "\u{11A8}",
            "가", "각", "か", "が", "\u{3099}", "\u{9C7}", "\u{9BE}", "\u{9CB}", "\u{9D7}",
        ]
        var known: [Topic: [UInt8]] = [:]
        for _ in 0..<2_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 1...3, using: &random) { text.append(scalars.randomElement(using: &random) ?? "a") }
            let topic = Topic(rawValue: "room:\(String(text))")
            guard topic.isValid else { continue }
            let bytes = Array(topic.rawValue.utf8)
            #expect(known.updateValue(bytes, forKey: topic) ?? bytes == bytes)
        }
        #expect(known.count > 100)
    }

    @Test func namesFollowTheDesign() {
        let names = BrokerNames()
        #expect(names.work(lane: "media") == "sparq.work.media")
        #expect(names.node("f1") == "sparq.node.f1")
        #expect(names.nodeQueue("f1", incarnation: "0a", number: 2) == "sparq.node.f1.0a.2")
        #expect(BrokerNames(prefix: "t1").inbound == "t1.inbound")
    }

    /// FNV-1a's published test values.
    @Test func theTopicChecksumIsFNV1a() {
        #expect(TopicChecksum.part("") == 0x811c_9dc5)
        #expect(TopicChecksum.part("a") == 0xe40c_292c)
        #expect(TopicChecksum.part("foobar") == 0xbf9c_f968)
    }
}
