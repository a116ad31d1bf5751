/// Writes JSON into one growing array of bytes. The caller keeps the grammar; the writer keeps strings safe.
public struct JSONWriter: Sendable {
    /// What has been written.
    public private(set) var bytes: [UInt8]

    /// An empty writer with room for `capacity` bytes.
    public init(reservingCapacity capacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Appends bytes of JSON as they are.
    public mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends bytes of JSON as they are.
    public mutating func raw(_ json: some Sequence<UInt8>) {
        bytes.append(contentsOf: json)
    }

    /// Appends bytes of JSON as they are.
    public mutating func raw(_ json: ArraySlice<UInt8>) {
        bytes.append(contentsOf: json)
    }

    /// Appends one byte as it is.
    public mutating func byte(_ byte: UInt8) {
        bytes.append(byte)
    }

    /// Appends a whole number.
    public mutating func integer(_ value: Int) {
        if value < 0 {
            bytes.append(contentsOf: String(value).utf8)
            return
        }
        var rest = value
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { buffer in
            var index = 24
            repeat {
                index -= 1
                buffer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            bytes.append(contentsOf: buffer[index..<24])
        }
    }

    /// Appends a string with its quotes, escaped (RFC 8259, section 7).
    public mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            bytes.append(UInt8(ascii: "\""))
            if ByteSearch.needsEscape(UnsafeRawBufferPointer(utf8)) {
                for byte in utf8 { escaped(byte) }
            } else {
                bytes.append(contentsOf: utf8)
            }
            bytes.append(UInt8(ascii: "\""))
        }
    }

    private mutating func escaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): raw("\\\"")
        case UInt8(ascii: "\\"): raw("\\\\")
        case 0x0A: raw("\\n")
        case 0x0D: raw("\\r")
        case 0x09: raw("\\t")
        case 0..<0x20:
            raw("\\u00")
            bytes.append(UInt8(ascii: "0") + byte >> 4)
            let low = byte & 0xF
            bytes.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
        default: bytes.append(byte)
        }
    }
}

extension JSONWriter {
    /// Appends a JSON text that becomes part of one line: raw line breaks, which JSON knows between tokens only
    /// (RFC 8259, section 2), become spaces.
    public mutating func json(_ text: ArraySlice<UInt8>) {
        let isBroken = text.withUnsafeBytes { ByteSearch.first(0x0A, in: $0) != nil || ByteSearch.first(0x0D, in: $0) != nil }
        if isBroken {
            raw(text.lazy.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 })
        } else {
            raw(text)
        }
    }

    /// Appends an array; `element` writes each.
    public mutating func array<Element>(_ elements: [Element], _ element: (Element, inout JSONWriter) -> Void) {
        byte(UInt8(ascii: "["))
        for (index, value) in elements.enumerated() {
            if index > 0 { byte(UInt8(ascii: ",")) }
            element(value, &self)
        }
        byte(UInt8(ascii: "]"))
    }

    /// Appends an object whose values are whole numbers.
    mutating func object(_ members: [String: Int]) {
        raw("{")
        var isFirst = true
        for (key, value) in members {
            if !isFirst { raw(",") }
            isFirst = false
            string(key)
            raw(":")
            integer(value)
        }
        raw("}")
    }
}
