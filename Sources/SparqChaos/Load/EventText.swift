/// Finds a message's token in an event. Tokens hold nothing that JSON would escape, so the text is searched as it is.
enum EventText {
    private static let key = Array(#""text":"#.utf8)

    static func token(in bytes: [UInt8]) -> String? {
        guard bytes.count > key.count else { return nil }
        for start in 0..<(bytes.count - key.count) where bytes[start] == key[0] {
            guard bytes[start..<(start + key.count)].elementsEqual(key) else { continue }
            let rest = bytes[(start + key.count)...].drop { $0 == 0x20 }
            guard rest.first == UInt8(ascii: "\"") else { continue }
            return token(ofText: String(decoding: rest.dropFirst().prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self))
        }
        return nil
    }

    /// The token is the text up to the first blank.
    static func token(ofText text: String) -> String { String(text.prefix { $0 != " " }) }
}
