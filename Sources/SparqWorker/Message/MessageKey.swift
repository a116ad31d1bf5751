import SparqWire

/// By what a message is recognised when it comes again.
struct MessageKey: Hashable, Sendable {
    var user: String
    var id: String
    /// Hash of the message's bytes.
    var fingerprint: Int64

    /// `nil` for messages that cannot be recognised: without a user or an `id`, or with U+0000 in it, which PostgreSQL's text does not hold.
    init?(_ envelope: Envelope) {
        guard let user = envelope.user, let id = envelope.id, !id.hasNull, !Sabotage.isOn(.noInbox) else { return nil }
        self.user = user
        self.id = id
        fingerprint = Self.fingerprint(of: envelope.message)
    }

    /// For `$connect` and `$disconnect`, which have no `id`: there is one of each in a connection's life. The control character keeps them apart
    /// from any user's messages.
    init?(_ type: String, of connection: String?) {
        guard let connection, !Sabotage.isOn(.noInbox) else { return nil }
        user = "\u{1}\(connection)"
        id = type
        fingerprint = 0
    }

    /// A key as the inbox's own, by which a row is found.
    init(user: String, id: String) { (self.user, self.id, fingerprint) = (user, id, 0) }

    var withoutFingerprint: MessageKey { MessageKey(user: user, id: id) }

    /// 64 bits, in the way of FNV-1a but eight bytes at a time: tells an honest repeat from an honest mistake; nobody gains by a collision but
    /// confusing themselves. Kept in the inbox, so it must stay as it is.
    static func fingerprint(of message: ArraySlice<UInt8>) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(message.count)
        func mix(_ word: UInt64) {
            hash = (hash ^ word) &* 0x0000_0100_0000_01b3
            // Else no bit would reach the lower ones.
            hash ^= hash >> 32
        }
        message.withUnsafeBytes { bytes in
            var index = 0
            while index + 8 <= bytes.count {
                mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
                index += 8
            }
            while index < bytes.count {
                mix(UInt64(bytes[index]))
                index += 1
            }
        }
        return Int64(bitPattern: hash)
    }
}

extension String {
    fileprivate var hasNull: Bool {
        var text = self
        return text.withUTF8 { $0.contains(0) }
    }
}
