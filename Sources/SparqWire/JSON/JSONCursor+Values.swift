/// The few kinds of value that Sparq itself reads: names, numbers, flags.
extension JSONCursor {
    /// The text of a string token that `string()` has checked.
    static func text(_ raw: RawString, in bytes: UnsafeRawBufferPointer) -> String {
        let slice = UnsafeRawBufferPointer(rebasing: bytes[raw.range])
        return raw.hasEscapes ? unescaped(slice) : String(decoding: slice, as: UTF8.self)
    }

    /// Reads a string that must be there.
    mutating func text(in bytes: UnsafeRawBufferPointer) throws(JSONError) -> String {
        skipWhitespace()
        guard peek() == UInt8(ascii: "\"") else { throw error(.wrongKind) }
        return Self.text(try string(), in: bytes)
    }

    /// Reads a string or `null`.
    mutating func optionalText(in bytes: UnsafeRawBufferPointer) throws(JSONError) -> String? {
        skipWhitespace()
        if peek() == UInt8(ascii: "n") {
            try literal("null")
            return nil
        }
        return try text(in: bytes)
    }

    /// Reads a whole number or `null`.
    mutating func optionalInteger(in bytes: UnsafeRawBufferPointer) throws(JSONError) -> Int? {
        skipWhitespace()
        if peek() == UInt8(ascii: "n") {
            try literal("null")
            return nil
        }
        return try integer(in: bytes)
    }

    /// Reads `true` or `false`.
    mutating func flag() throws(JSONError) -> Bool {
        skipWhitespace()
        switch peek() {
        case UInt8(ascii: "t"):
            try literal("true")
            return true
        case UInt8(ascii: "f"):
            try literal("false")
            return false
        default: throw error(.wrongKind)
        }
    }

    /// Reads a whole number, without fraction or exponent, that fits 64 bits.
    mutating func integer(in bytes: UnsafeRawBufferPointer) throws(JSONError) -> Int {
        skipWhitespace()
        let range = try skipValue()
        let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
        var value = 0
        for index in (isNegative ? range.lowerBound + 1 : range.lowerBound)..<range.upperBound {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let digit = Int(bytes[index]) - 0x30
            // A fraction, an exponent, or another kind of value.
            guard !overflow, (0...9).contains(digit) else { throw JSONError(.wrongKind, at: range.lowerBound) }
            // Towards the sign, so that the smallest number fits.
            let (sum, isOver) = isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            guard !isOver else { throw JSONError(.wrongKind, at: range.lowerBound) }
            value = sum
        }
        return value
    }

    /// Calls `body` for each member of the object that comes next; `body` must read the value.
    mutating func members(
        in bytes: UnsafeRawBufferPointer,
        _ body: (_ key: RawString, _ cursor: inout JSONCursor) throws(JSONError) -> Void
    ) throws(JSONError) {
        skipWhitespace()
        guard peek() == UInt8(ascii: "{") else { throw error(.wrongKind) }
        try expect(UInt8(ascii: "{"))
        skipWhitespace()
        if take(UInt8(ascii: "}")) { return }
        repeat {
            skipWhitespace()
            let key = try string()
            skipWhitespace()
            try expect(UInt8(ascii: ":"))
            try body(key, &self)
            skipWhitespace()
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
    }

    /// Calls `body` for each element of the array that comes next; `body` must read the value.
    mutating func elements(_ body: (_ cursor: inout JSONCursor) throws(JSONError) -> Void) throws(JSONError) {
        skipWhitespace()
        guard peek() == UInt8(ascii: "[") else { throw error(.wrongKind) }
        try expect(UInt8(ascii: "["))
        skipWhitespace()
        if take(UInt8(ascii: "]")) { return }
        repeat {
            try body(&self)
            skipWhitespace()
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
    }

    /// Whether a key without escapes is `name`.
    static func matches(_ key: RawString, _ name: StaticString, in bytes: UnsafeRawBufferPointer) -> Bool {
        if key.hasEscapes { return text(key, in: bytes) == "\(name)" }
        guard key.range.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<name.utf8CodeUnitCount where bytes[key.range.lowerBound + index] != name.utf8Start[index] { return false }
        return true
    }

    private static func unescaped(_ bytes: UnsafeRawBufferPointer) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        func unit(at start: Int) -> UInt32 {
            var value: UInt32 = 0
            for byte in bytes[start..<(start + 4)] { value = value << 4 | UInt32(Character(UnicodeScalar(byte)).hexDigitValue ?? 0) }
            return value
        }
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\\") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            index += 2
            switch bytes[index - 1] {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"):
                var scalar = unit(at: index)
                index += 4
                if scalar & 0xFC00 == 0xD800 {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + (unit(at: index + 2) & 0x3FF)
                    index += 6
                }
                result.append(contentsOf: String(UnicodeScalar(scalar).map(Character.init) ?? "\u{FFFD}").utf8)
            case let byte: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension JSONCursor {
    /// Walks over the members of the one object that a text holds; `body` must read each value.
    static func readObject(
        _ text: ArraySlice<UInt8>,
        _ body: (JSONCursor.RawString, inout JSONCursor, UnsafeRawBufferPointer) throws(JSONError) -> Void
    ) throws(JSONError) {
        let result: Result<Void, JSONError> = text.withUnsafeBytes { bytes in
            do throws(JSONError) {
                var cursor = JSONCursor(bytes, depthLimit: JSONDepth.line)
                try cursor.members(in: bytes) { key, cursor throws(JSONError) in try body(key, &cursor, bytes) }
                try cursor.expectEnd()
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}

extension ArraySlice<UInt8> {
    /// The part at offsets counted from the slice's own start.
    func slice(_ offsets: Range<Int>) -> ArraySlice<UInt8> {
        self[(startIndex + offsets.lowerBound)..<(startIndex + offsets.upperBound)]
    }
}
