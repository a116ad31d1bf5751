extension Sequence<UInt8> {
    /// Whether UTF-8 text holds control characters: U+0000 to U+001F, U+007F, U+0080 to U+009F. The inbox could not keep a message under U+0000, which
    /// PostgreSQL's `text` does not hold, and the others garble what operators read: some terminals obey those above U+007F too.
    var holdControlCharacters: Bool {
        var before: UInt8 = 0
        for byte in self {
            if byte < 0x20 || byte == 0x7F || before == 0xC2 && byte < 0xA0 { return true }
            before = byte
        }
        return false
    }
}
