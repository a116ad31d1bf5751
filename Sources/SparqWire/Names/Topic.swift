/// A named stream of events: the only address besides a connection.
///
/// Sparq itself knows three kinds: `user:`, `presence:` and `everyone`. All others belong to applications.
public struct Topic: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    /// Longest name, in bytes of UTF-8.
    public static let nameLimit = 256
    /// The most topics that one message may name.
    public static let messageLimit = 512

    /// The name as it travels.
    public let rawValue: String

    /// A topic by its name.
    public init(rawValue: String) { self.rawValue = rawValue }

    private static let userPrefix = "user:"
    private static let presencePrefix = "presence:"
    /// The stream of one user: every connection of theirs.
    public static func user(_ id: String) -> Topic { Topic(rawValue: userPrefix + id) }
    /// The stream of words on whether a user is there. Workers run the handler of presence when a node joins one.
    public static func presence(_ id: String) -> Topic { Topic(rawValue: presencePrefix + id) }
    /// The stream of everyone who is connected.
    public static let everyone = Topic(rawValue: "everyone")

    /// Whose stream a name is; `nil` for other names.
    package static func user(ofTopic name: String) -> String? { name.dropping(userPrefix) }
    /// Whose presence a name is of; `nil` for other names.
    package static func user(ofPresence name: String) -> String? { name.dropping(presencePrefix) }

    /// The part before the first colon; the whole name where there is none.
    public var kind: Substring { rawValue.prefix { $0 != ":" } }
    /// The part behind the first colon; empty where there is none.
    public var id: Substring { rawValue.dropFirst(kind.count + 1) }
    /// 1 to 256 bytes, without control characters, in Unicode's normalization form C. So two names that Swift takes for equal have the same
    /// bytes, by which the database and other languages tell them apart.
    ///
    /// Where a name is made of what somebody wrote, normalize that first (Foundation's `precomposedStringWithCanonicalMapping`).
    public var isValid: Bool {
        (1...Self.nameLimit).contains(rawValue.utf8.count) && !rawValue.utf8.holdControlCharacters && rawValue.isComposed
    }
    /// Whether a user can be called so: 1 to 128 bytes that can be part of a topic's name, because every user has a topic.
    public static func isUser(_ id: String) -> Bool { (1...128).contains(id.utf8.count) && Topic.user(id).isValid }

    /// The name as it travels.
    public var description: String { rawValue }
}

extension String {
    fileprivate func dropping(_ prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}
