import Foundation
import SparqWire
import Testing

@Suite struct FrameScannerTests {
    private func scan(_ text: String) throws(FrameError) -> Frame { try FrameScanner.scan(Array(text.utf8)) }

    @Test func findsTypeAndIdWhereverTheyStand() throws {
        #expect(try scan(#"{"type":"room.send","id":"c1","text":"hi"}"#) == Frame(type: "room.send", id: "c1"))
        #expect(try scan(#" { "x" : [1,{"type":"inner"}] , "id" : "ü" , "type" : "a" } "#) == Frame(type: "a", id: "ü"))
        #expect(try scan(#"{"type":"a"}"#) == Frame(type: "a", id: nil))
    }

    @Test func readsEscapesInNames() throws {
        #expect(try scan(#"{"ty\u0070e":"r\u006f\/\u00e9\ud83d\ude00","id":"\"\\"}"#) == Frame(type: "ro/é😀", id: "\"\\"))
    }

    @Test(arguments: [
        (#"[]"#, FrameError.notAnObject),
        (#"1"#, .notAnObject),
        (#""type""#, .notAnObject),
        (#"{}"#, .missingType),
        (#"{"id":"c1"}"#, .missingType),
        (#"{"type":1,"id":"c1"}"#, .invalidType(id: "c1")),
        (#"{"type":null}"#, .invalidType(id: nil)),
        (#"{"type":""}"#, .invalidType(id: nil)),
        (#"{"type":"a\u0000","id":"c1"}"#, .invalidType(id: "c1")),
        (#"{"type":"\nroom.send"}"#, .invalidType(id: nil)),
        (#"{"type":"a\u007Fb"}"#, .invalidType(id: nil)),
        ("{\"type\":\"a\u{7F}\"}", .invalidType(id: nil)),
        (#"{"type":"$a\u001f"}"#, .invalidType(id: nil)),
        (#"{"type":"$connect","id":"x"}"#, .reservedType("$connect", id: "x")),
        (#"{"type":"$"}"#, .reservedType("$", id: nil)),
        (#"{"type":"a","id":7}"#, .invalidID),
        (#"{"type":"a","id":""}"#, .invalidID),
        (#"{"type":"a","id":"\u0000"}"#, .invalidID),
        (#"{"id":"a\u0000b","type":"a"}"#, .invalidID),
        (#"{"type":"a","id":"a\nb"}"#, .invalidID),
        (#"{"type":"a","id":"c1\u001F"}"#, .invalidID),
        (#"{"type":"a","id":"c1\u007f"}"#, .invalidID),
        ("{\"type\":\"a\",\"id\":\"c1\u{7F}\"}", .invalidID),
        (#"{"type":1,"id":"\u0000"}"#, .invalidID),
        (#"{"type":"a\u0080b","id":"c1"}"#, .invalidType(id: "c1")),
        ("{\"type\":\"a\u{9B}b\"}", .invalidType(id: nil)),
        (#"{"type":"a","id":"\u0085"}"#, .invalidID),
        ("{\"type\":\"a\",\"id\":\"c1\u{9F}\"}", .invalidID),
    ])
    func namesWhatIsWrong(text: String, error: FrameError) {
        #expect(throws: error) { try scan(text) }
    }

    @Test func aReservedTypeIsToldLikeAnyOtherThatIsInvalid() {
        let (reserved, invalid) = (FrameError.reservedType("$x", id: "c1"), FrameError.invalidType(id: "c1"))
        #expect(reserved.code == invalid.code && reserved.message == invalid.message && reserved.id == "c1")
    }

    @Test func onlyControlCharactersAreNoPartOfAnId() throws {
        #expect(try scan(#"{"type":"a","id":"\u0020\u007E\u00A0\"\\"}"#).id == " ~\u{A0}\"\\")
        #expect(try scan("{\"type\":\"a\",\"id\":\" ~\u{A0}\u{C0}\u{480}😀\"}").id == " ~\u{A0}\u{C0}\u{480}😀")
        // Elsewhere they are the handler's business.
        #expect(try scan(#"{"type":"a","id":"1","text":"\u0000\n"}"#).id == "1")
    }

    @Test(arguments: [
        (#"{"topics":{"a":1,"b":{"x":[1,2,3]},"c":null},"type":"t"}"#, 3), (#"{"topics":["a","b"]}"#, 2), (#"{"topics":[]}"#, 0),
        (#"{"topics":{}}"#, 0), (#"{"topics":"abc"}"#, 0), (#"{"type":"t"}"#, 0), (#"{ "t\u006fpics" : [ [1,2] , {} ] }"#, 2),
        (#"{"x":{"topics":[1,2,3]},"topics":[1]}"#, 1), (#"{"topics":[1],"topics":[1,2,3],"topics":{"a":1}}"#, 5),
    ])
    func countsWhatAKeyHolds(text: String, count: Int) {
        #expect(FrameScanner.count("topics", in: Array(text.utf8)) == count)
    }

    @Test func findsTheMembersOfAnObject() {
        func members(_ text: String) -> [String: String]? {
            let frame = Array(text.utf8)
            return FrameScanner.members(of: "topics", in: frame).map { members in
                Dictionary(members.map { ($0.name, String(decoding: frame[$0.value], as: UTF8.self)) }) { $1 }
            }
        }
        #expect(
            members(#"{"topics":{"a":1,"b\"":{"x":[1,{}]},"\u0063": null ,"d":-1.5},"type":"t"}"#) == [
                "a": "1", "b\"": #"{"x":[1,{}]}"#, "c": "null", "d": "-1.5",
            ]
        )
        #expect(members(#"{"topics":{}}"#) == [:] && members(#"{"topics":{"a":1},"x":2,"topics":{"b":2,"a":3}}"#) == ["a": "3", "b": "2"])
        for text in [
            #"{"type":"t"}"#, #"{"topics":[1]}"#, #"{"topics":"a"}"#, #"{"topics":{"a":1},"topics":[]}"#, #"{"x":{"topics":{"a":1}}}"#,
        ] {
            #expect(members(text) == nil, "\(text)")
        }
    }

    @Test func boundsTheLengthOfNames() throws {
        let longest = String(repeating: "t", count: FrameScanner.nameLimit)
        #expect(try scan(#"{"type":"\#(longest)"}"#).type == longest)
        #expect(throws: FrameError.invalidType(id: nil)) { try scan(#"{"type":"\#(longest)t"}"#) }
        #expect(throws: FrameError.invalidID) { try scan(#"{"type":"a","id":"\#(longest)t"}"#) }
    }

    @Test(arguments: [
        "", " ", "{", "}", #"{"type"}"#, #"{"type":}"#, #"{"type":"a",}"#, #"{"type":"a"}}"#, #"{"type":"a"} x"#, #"{'type':"a"}"#,
        #"{"type":"a","n":01}"#, #"{"type":"a","n":1.}"#, #"{"type":"a","n":.5}"#, #"{"type":"a","n":+1}"#, #"{"type":"a","n":1e}"#,
        #"{"type":"a","n":-}"#, #"{"type":"a","n":NaN}"#, #"{"type":"a","n":tru}"#, #"{"type":"a","n":truee}"#, #"{"type":"a","n":[1,]}"#,
        #"{"type":"a","n":[1 2]}"#, #"{"type":"a","s":"\x"}"#, #"{"type":"a","s":"\u12g4"}"#, #"{"type":"a","s":"\ud800"}"#,
        #"{"type":"a","s":"\udc00"}"#, #"{"type":"a","s":"\ud800\u0041"}"#, "{\"type\":\"a\",\"s\":\"\n\"}", "{\"type\":\"a\",\"s\":\"",
        "\u{FEFF}{\"type\":\"a\"}",
        #"{"type":"a","type":"b"}"#, #"{"type":"a","id":"1","id":"2"}"#, #"{"type":"a" "id":"1"}"#, #"{1:2,"type":"a"}"#,
        "{\"type\":\"a\"}\u{0}",
    ])
    func refusesWhatIsNotJSON(text: String) {
        #expect {
            try scan(text)
        } throws: { error in
            if case FrameError.notJSON = error { true } else { false }
        }
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0xAF], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80],
            [0xFF], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xE2, 0x28, 0xA1], [0xF0, 0x28, 0x8C, 0xBC],
        ] as [[UInt8]]
    )
    func refusesBrokenUTF8(bytes: [UInt8]) {
        for padding in 0..<9 {
            let frame = Array(#"{"type":"a","s":""#.utf8) + Array(repeating: 0x61, count: padding) + bytes + Array(#"aaaaaaaaaa"}"#.utf8)
            #expect {
                try FrameScanner.scan(frame)
            } throws: { error in
                if case FrameError.notJSON(let json) = error { json.reason == .invalidUTF8 } else { false }
            }
        }
    }

    @Test func refusesDepthThatWouldExhaustTheStack() throws {
        let deep = String(repeating: "[", count: 63) + String(repeating: "]", count: 63)
        _ = try scan(#"{"type":"a","n":\#(deep)}"#)
        let deeper = String(repeating: "[", count: 100_000)
        #expect {
            try scan(#"{"type":"a","n":\#(deeper)"#)
        } throws: { error in
            if case FrameError.notJSON(let json) = error { json.reason == .tooDeep } else { false }
        }
    }

    /// Foundation's parser is the oracle: on small damage to good text, both say the same. Only commas before a closing bracket
    /// are left out: Foundation forgives them, RFC 8259 does not.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func agreesWithFoundationOnDamagedText(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let good = Array(#"{"type":"a","n":[0,-1.5e+3,{"k":"vä\u00e4\n😀 long plain run of text"},true,false,null],"s":""}"#.utf8)
        let alphabet = Array(#"{}[]",:\0159.eE+-tfnul u"#.utf8) + [0x80, 0xC3, 0xA4, 0x0A, 0x1F, 0x7F]
        var accepted = 0
        for _ in 0..<2_000 {
            var text = good
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let index = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: text[index] = alphabet.randomElement(using: &random) ?? 0
                case 1: text.remove(at: index)
                default: text.insert(alphabet.randomElement(using: &random) ?? 0, at: index)
                }
            }
            let oracle = (try? JSONSerialization.jsonObject(with: Data(text), options: [.fragmentsAllowed])) != nil
            var ours = true
            do throws(FrameError) {
                _ = try FrameScanner.scan(text)
            } catch {
                if case .notJSON(let json) = error { ours = json.reason == .duplicateKey }
            }
            accepted += ours ? 1 : 0
            let compact = text.filter { ![0x20, 0x0A].contains($0) }
            let hasTrailingComma = zip(compact, compact.dropFirst()).contains { $0 == 0x2C && ($1 == 0x5D || $1 == 0x7D) }
            #expect(hasTrailingComma ? !ours : ours == oracle, "\(String(decoding: text, as: UTF8.self))")
        }
        #expect(accepted > 100)
    }
}
