import Foundation

/// Finds a message's token in an event. Tokens hold nothing that JSON would escape, so the text is searched as it is.
enum EventText {
    private static let key = Array(#""text":"#.utf8)

    /// - Parameter type: the event's.
    static func token(in bytes: [UInt8], type: String) -> String? {
        if type == "room.joined" || type == "room.left" {
            struct Event: Decodable {
                struct Entrance: Decodable { var room, user: String }
                var data: Entrance
            }
            let event = try? JSONDecoder().decode(Event.self, from: Data(bytes))
            return token(of: type, room: event?.data.room, user: event?.data.user)
        }
        return token(in: bytes)
    }

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

    /// Of an event without text: who entered or left which room. `nil` for all others.
    static func token(of type: String, room: String?, user: String?) -> String? {
        guard type == "room.joined" || type == "room.left", let room, let user else { return nil }
        return "\(type)/\(room)/\(user)"
    }

    /// The token is the text up to the first blank.
    static func token(ofText text: String) -> String { String(text.prefix { $0 != " " }) }
}
