/// Which pool of workers serves which type, from patterns like `media=media.*,auth=auth.login`. The first match counts.
public struct PoolMap: Equatable, Sendable {
    /// The pool of all that no pattern names.
    public static let defaultPool = "default"

    /// Why a setting is not a pool map.
    public struct SyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
        /// The part that could not be read.
        public let part: String
        /// One sentence for people.
        public var description: String { "\"\(part)\" is not of the form pool=type or pool=prefix.*" }
    }

    private struct Rule: Equatable, Sendable {
        var pool: String
        var type: String
        var isPrefix: Bool
    }

    private let rules: [Rule]
    /// All pools that it names, `default` among them.
    public let pools: [String]

    /// Everything goes to `default`.
    public init() {
        rules = []
        pools = [Self.defaultPool]
    }

    /// Reads a setting; an empty one sends everything to `default`.
    public init(_ setting: String) throws(SyntaxError) {
        var rules: [Rule] = []
        for part in setting.split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1).map { String($0.filter { !$0.isWhitespace }) }
            guard sides.count == 2, !sides[0].isEmpty, !sides[1].isEmpty, !sides[1].dropLast().contains("*") else {
                throw SyntaxError(part: String(part))
            }
            let isPrefix = sides[1].hasSuffix("*")
            rules.append(Rule(pool: sides[0], type: isPrefix ? String(sides[1].dropLast()) : sides[1], isPrefix: isPrefix))
        }
        self.rules = rules
        var pools = [Self.defaultPool]
        for rule in rules where !pools.contains(rule.pool) { pools.append(rule.pool) }
        self.pools = pools
    }

    /// The pool that serves `type`.
    public func pool(for type: String) -> String {
        for rule in rules where rule.isPrefix ? type.hasPrefix(rule.type) : type == rule.type { return rule.pool }
        return Self.defaultPool
    }
}
