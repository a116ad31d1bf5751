import Sparq

/// Which piece of a log is asked for: `before` (exclusive; from the newest where it is absent) and `limit` (1 to 100, 50 by default).
struct PageRequest: Decodable, Sendable {
    static let limits = 1...100

    let before: Int?
    let limit: Int

    private enum CodingKeys: CodingKey { case before, limit }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        before = try container.decodeIfPresent(Int.self, forKey: .before)
        limit = try container.decodeIfPresent(Int.self, forKey: .limit) ?? 50
        guard Self.limits.contains(limit) else { throw Refusal(.invalidFields, "The field \"limit\" must lie between 1 and 100.") }
        guard before.map({ $0 >= 1 }) ?? true else { throw Refusal(.invalidFields, "The field \"before\" must be at least 1.") }
    }
}
