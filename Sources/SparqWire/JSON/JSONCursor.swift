/// Walks over JSON text (RFC 8259) and checks it on the way, UTF-8 included, without building values.
///
/// It borrows the bytes: use it only inside the `withUnsafeBytes` that lent them.
struct JSONCursor {
    /// Nesting deeper than this is refused, so that no input can exhaust the stack (RFC 8259, section 9).
    private let depthLimit: Int
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int

    init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0, depthLimit: Int = JSONDepth.message) {
        self.bytes = bytes
        self.position = position
        self.depthLimit = depthLimit
    }

    /// A string as it stands in the text: the range between the quotes, and whether it holds escapes.
    struct RawString: Equatable {
        var range: Range<Int>
        var hasEscapes: Bool
    }

    var isAtEnd: Bool { position >= bytes.count }

    func error(_ reason: JSONError.Reason) -> JSONError {
        JSONError(position >= bytes.count && reason == .unexpectedByte ? .unexpectedEnd : reason, at: position)
    }

    func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard peek() == byte else { throw error(.unexpectedByte) }
        position += 1
    }

    /// Takes `byte` if it is next.
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    mutating func expectEnd() throws(JSONError) {
        skipWhitespace()
        guard isAtEnd else { throw error(.trailingBytes) }
    }

    /// Skips one value of any kind; leaves the cursor behind it.
    @discardableResult
    mutating func skipValue(depth: Int = 0) throws(JSONError) -> Range<Int> {
        skipWhitespace()
        let start = position
        switch peek() {
        case UInt8(ascii: "{"): try skipObject(depth: depth + 1)
        case UInt8(ascii: "["): try skipArray(depth: depth + 1)
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: try skipNumber()
        }
        return start..<position
    }

    private mutating func skipObject(depth: Int) throws(JSONError) {
        guard depth <= depthLimit else { throw error(.tooDeep) }
        position += 1
        skipWhitespace()
        if take(UInt8(ascii: "}")) { return }
        repeat {
            skipWhitespace()
            _ = try string()
            skipWhitespace()
            try expect(UInt8(ascii: ":"))
            try skipValue(depth: depth)
            skipWhitespace()
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
    }

    private mutating func skipArray(depth: Int) throws(JSONError) {
        guard depth <= depthLimit else { throw error(.tooDeep) }
        position += 1
        skipWhitespace()
        if take(UInt8(ascii: "]")) { return }
        repeat {
            try skipValue(depth: depth)
            skipWhitespace()
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
    }

    mutating func literal(_ text: StaticString) throws(JSONError) {
        for index in 0..<text.utf8CodeUnitCount {
            try expect(text.utf8Start[index])
        }
    }

    private mutating func skipDigits() throws(JSONError) {
        let start = position
        while let byte = peek(), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        if start == position { throw error(isAtEnd ? .unexpectedEnd : .invalidNumber) }
    }

    private mutating func skipNumber() throws(JSONError) {
        let negative = take(UInt8(ascii: "-"))
        guard let first = peek() else { throw error(.unexpectedEnd) }
        switch first {
        case UInt8(ascii: "0"): position += 1
        case UInt8(ascii: "1")...UInt8(ascii: "9"): try skipDigits()
        default: throw error(negative ? .invalidNumber : .unexpectedByte)
        }
        if take(UInt8(ascii: ".")) { try skipDigits() }
        if let byte = peek(), byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            position += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try skipDigits()
        }
    }

    /// Reads a string token, checking escapes and UTF-8 (RFC 8259, sections 7 and 8.1).
    mutating func string() throws(JSONError) -> RawString {
        try expect(UInt8(ascii: "\""))
        let start = position
        var hasEscapes = false
        while true {
            skipPlainRun()
            guard let byte = peek() else { throw error(.unexpectedEnd) }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return RawString(range: start..<(position - 1), hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try skipEscape()
            case 0..<0x20: throw error(.controlCharacter)
            case 0x80...: try skipMultibyte(lead: byte)
            default: position += 1
            }
        }
    }

    /// Skips bytes that need no look of their own, eight at a time: printable ASCII but quote and backslash.
    private mutating func skipPlainRun() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while position + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5C)
            // A byte's high bit comes up where it is a quote, a backslash, below 0x20 or above 0x7F (false alarms only slow down).
            let found = ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((word &- ones &* 0x20) & ~word) | word
            if found & highs != 0 { return }
            position += 8
        }
    }

    private mutating func skipEscape() throws(JSONError) {
        position += 1
        guard let byte = peek() else { throw error(.unexpectedEnd) }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            let unit = try hex4()
            if unit & 0xFC00 == 0xDC00 { throw error(.invalidSurrogate) }
            if unit & 0xFC00 == 0xD800 {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw error(.invalidSurrogate) }
                guard try hex4() & 0xFC00 == 0xDC00 else { throw error(.invalidSurrogate) }
            }
        default: throw error(.invalidEscape)
        }
    }

    private mutating func hex4() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek() else { throw error(.unexpectedEnd) }
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80 else { throw error(.invalidEscape) }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    /// Checks one multi-byte character: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629, section 4).
    private mutating func skipMultibyte(lead: UInt8) throws(JSONError) {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        case 0xF1...0xF3: length = 4
        default: throw error(.invalidUTF8)
        }
        guard position + length <= bytes.count, second.contains(bytes[position + 1]) else { throw error(.invalidUTF8) }
        for index in 2..<max(length, 2) where bytes[position + index] & 0xC0 != 0x80 { throw error(.invalidUTF8) }
        position += length
    }
}
