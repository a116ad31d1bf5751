/// The fields of `subscribe`.
struct SubscribeRequest: Decodable, Equatable, Sendable {
    /// Where a subscriber stands.
    enum Cursor: Decodable, Equatable, Sendable {
        case now
        case after(Int)
        /// No whole number; refused for this topic alone.
        case malformed

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .now
            } else if let seq = try? container.decode(Int.self) {
                self = .after(seq)
            } else {
                self = .malformed
            }
        }
    }

    var topics: [String: Cursor]

    private enum CodingKeys: CodingKey { case topics }

    init(from decoder: any Decoder) throws {
        // Dictionaries drop null values of optionals; the cursor's own decoding keeps them.
        topics = try decoder.container(keyedBy: CodingKeys.self).decode([String: Cursor].self, forKey: .topics)
    }
}

/// The fields of `unsubscribe`.
struct UnsubscribeRequest: Decodable, Equatable, Sendable {
    var topics: [String]
}
