import SparqWire

/// Puts a token into the `data` of a reply, and leaves all else as it is.
enum TokenInsertion {
    /// The reply with `"token"` as the first field of its `data`; with a `data` of its own where there is none. A text that is no object stays.
    static func insert(_ token: String, into reply: [UInt8]) -> [UInt8] {
        var field = JSONWriter(reservingCapacity: token.utf8.count + 16)
        field.raw("\"token\":")
        field.string(token)
        guard let place = find(reply) else { return reply }
        switch place {
        case .inside(let index, let isEmpty):
            return reply[..<index] + field.bytes + (isEmpty ? [] : [UInt8(ascii: ",")]) + reply[index...]
        case .instead(let range):
            return reply[..<range.lowerBound] + [UInt8(ascii: "{")] + field.bytes + [UInt8(ascii: "}")] + reply[range.upperBound...]
        case .beside(let index, let isEmpty):
            return reply[..<index] + Array("\"data\":{".utf8) + field.bytes + Array((isEmpty ? "}" : "},").utf8) + reply[index...]
        }
    }

    private enum Place {
        case inside(Int, isEmpty: Bool)
        case instead(Range<Int>)
        case beside(Int, isEmpty: Bool)
    }

    /// Walks over the members of the outermost object; the text is JSON already.
    private static func find(_ text: [UInt8]) -> Place? {
        var index = 0
        func skipSpace() { while index < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[index]) { index += 1 } }
        func skipString() {
            index += 1
            while index < text.count, text[index] != UInt8(ascii: "\"") { index += text[index] == UInt8(ascii: "\\") ? 2 : 1 }
            index += 1
        }
        func skipValue() {
            var depth = 0
            repeat {
                skipSpace()
                guard index < text.count else { return }
                switch text[index] {
                case UInt8(ascii: "\""): skipString()
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    index += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    index += 1
                default:
                    index += 1
                    while index < text.count, !Array(",:{}[]\"".utf8).contains(text[index]) { index += 1 }
                }
                if depth > 0, index < text.count, text[index] == UInt8(ascii: ",") || text[index] == UInt8(ascii: ":") { index += 1 }
            } while depth > 0
        }
        skipSpace()
        guard index < text.count, text[index] == UInt8(ascii: "{") else { return nil }
        index += 1
        let start = index
        skipSpace()
        let isEmpty = index < text.count && text[index] == UInt8(ascii: "}")
        while index < text.count, text[index] == UInt8(ascii: "\"") {
            let key = index
            skipString()
            let name = text[key..<min(index, text.count)]
            skipSpace()
            index += 1
            skipSpace()
            let value = index
            skipValue()
            if name.elementsEqual("\"data\"".utf8) {
                guard value < text.count, text[value] == UInt8(ascii: "{") else { return .instead(value..<min(index, text.count)) }
                index = value + 1
                skipSpace()
                return .inside(value + 1, isEmpty: index < text.count && text[index] == UInt8(ascii: "}"))
            }
            skipSpace()
            guard index < text.count, text[index] == UInt8(ascii: ",") else { break }
            index += 1
            skipSpace()
        }
        return .beside(start, isEmpty: isEmpty)
    }
}
