/// Which pool of workers serves which type, from patterns like `media=media.*,auth=auth.login`. The first match counts.
///
/// What nodes send by themselves goes to a pool of its own, whatever the patterns say: a lease must not wait behind clients' messages.
public struct PoolMap: Equatable, Sendable {
    /// The pool of all that no pattern names.
    public static let defaultPool = "default"
    /// The pool of what nodes ask (`SystemType.ofNodes`). All workers serve it beside their own; no pattern may name it.
    public static let nodePool = "node"

    /// Why a setting is not a pool map.
    public struct SyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
        /// The part that could not be read.
        public let part: String
        fileprivate var isReserved = false
        /// One sentence for people.
        public var description: String {
            isReserved
                ? "\"\(part)\": the pool \"\(PoolMap.nodePool)\" is for what fronts send by themselves"
                : "\"\(part)\" is not of the form pool=type or pool=prefix.*"
        }
    }

    private struct Rule: Equatable, Sendable {
        /// Place in ``pools``.
        var pool: Int
        var type: String
        var isPrefix: Bool
    }

    private let rules: [Rule]
    /// All pools that it names, `default` first and `node` next.
    public let pools: [String]

    /// Everything that clients send goes to `default`.
    public init() {
        rules = []
        pools = [Self.defaultPool, Self.nodePool]
    }

    /// Reads a setting; an empty one sends everything that clients send to `default`.
    public init(_ setting: String) throws(SyntaxError) {
        var rules: [Rule] = []
        var pools = [Self.defaultPool, Self.nodePool]
        for part in setting.split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1).map { String($0.filter { !$0.isWhitespace }) }
            guard sides.count == 2, !sides[0].isEmpty, !sides[1].isEmpty, !sides[1].dropLast().contains("*") else {
                throw SyntaxError(part: String(part))
            }
            guard sides[0] != Self.nodePool else { throw SyntaxError(part: String(part), isReserved: true) }
            if !pools.contains(sides[0]) { pools.append(sides[0]) }
            let isPrefix = sides[1].hasSuffix("*")
            let type = isPrefix ? String(sides[1].dropLast()) : sides[1]
            rules.append(Rule(pool: pools.firstIndex(of: sides[0]) ?? 0, type: type, isPrefix: isPrefix))
        }
        self.rules = rules
        self.pools = pools
    }

    /// The pool that serves `type`, by its place in ``pools``.
    public func index(for type: String) -> Int {
        if type.utf8.first == UInt8(ascii: "$"), SystemType.ofNodes.contains(type) { return 1 }
        return rules.first { $0.isPrefix ? type.hasPrefix($0.type) : type == $0.type }?.pool ?? 0
    }

    /// The pool that serves `type`.
    public func pool(for type: String) -> String { pools[index(for: type)] }
}
