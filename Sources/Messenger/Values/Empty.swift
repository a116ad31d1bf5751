/// No fields, and no data: `{}`.
struct Empty: Codable, Sendable {}
