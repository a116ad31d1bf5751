/// The id of a connection, unique in the cluster: `c1-0123456789abcdef`. It says which event loop owns it, so that what comes for it
/// finds its way without a map that all loops share.
package struct ConnectionID: Hashable, Sendable, CustomStringConvertible {
    /// What is at the other end.
    package enum Kind: UInt8, Sendable {
        /// A WebSocket.
        case socket = 0x63
        /// One HTTP request.
        case http = 0x68
    }

    package let kind: Kind
    /// The index of the shard that owns it.
    package let shard: Int
    /// 64 random bits.
    package let number: UInt64

    /// A new id.
    package static func random(_ kind: Kind, shard: Int) -> ConnectionID {
        ConnectionID(kind: kind, shard: shard, number: .random(in: .min ... .max))
    }

    package init(kind: Kind, shard: Int, number: UInt64) {
        self.kind = kind
        self.shard = shard
        self.number = number
    }

    /// Reads the text form; `nil` where it is none.
    package init?(_ text: String) {
        var text = text
        guard let id = text.withUTF8({ Self(utf8: $0) }) else { return nil }
        self = id
    }

    private init?(utf8: UnsafeBufferPointer<UInt8>) {
        // The kind, one to four digits, a dash, sixteen digits.
        guard (19...22).contains(utf8.count), let kind = Kind(rawValue: utf8[0]) else { return nil }
        let dash = utf8.count - 17
        guard utf8[dash] == UInt8(ascii: "-") else { return nil }
        var shard = 0
        for byte in utf8[1..<dash] {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            shard = shard * 10 + Int(byte - UInt8(ascii: "0"))
        }
        var number: UInt64 = 0
        for byte in utf8[(dash + 1)...] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        self.init(kind: kind, shard: shard, number: number)
    }

    /// The text form.
    package var description: String {
        let hex = String(number, radix: 16)
        return "\(kind == .socket ? "c" : "h")\(shard)-\(String(repeating: "0", count: 16 - hex.count))\(hex)"
    }
}
