/// Which lane takes which type, from patterns like `media=media.*,auth=auth.login`. The first match counts.
///
/// What nodes send by themselves goes to a lane of its own, whatever the patterns say: a lease must not wait behind clients' messages.
public struct LaneMap: Equatable, Sendable {
    /// The lane of all that no pattern names.
    public static let defaultLane = "default"
    /// The lane of what nodes ask (`SystemType.ofNodes`). All workers serve it beside their own; no pattern may name it.
    public static let nodeLane = "node"

    /// Why a setting is not a lane map.
    public struct SyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
        /// The part that could not be read.
        public let part: String
        fileprivate var isReserved = false
        /// One sentence for people.
        public var description: String {
            isReserved
                ? "\"\(part)\": the lane \"\(LaneMap.nodeLane)\" is for what fronts send by themselves"
                : "\"\(part)\" is not of the form lane=type or lane=prefix.*"
        }
    }

    private struct Rule: Equatable, Sendable {
        /// Place in ``names``.
        var lane: Int
        var type: String
        var isPrefix: Bool
    }

    private let rules: [Rule]
    /// All lanes that it names, `default` first and `node` next.
    public let names: [String]

    /// Everything that clients send goes to `default`.
    public init() {
        rules = []
        names = [Self.defaultLane, Self.nodeLane]
    }

    /// Reads a setting; an empty one sends everything that clients send to `default`.
    public init(_ setting: String) throws(SyntaxError) {
        var rules: [Rule] = []
        var names = [Self.defaultLane, Self.nodeLane]
        for part in setting.split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1).map { String($0.filter { !$0.isWhitespace }) }
            guard sides.count == 2, !sides[0].isEmpty, !sides[1].isEmpty, !sides[1].dropLast().contains("*") else {
                throw SyntaxError(part: String(part))
            }
            guard sides[0] != Self.nodeLane else { throw SyntaxError(part: String(part), isReserved: true) }
            if !names.contains(sides[0]) { names.append(sides[0]) }
            let isPrefix = sides[1].hasSuffix("*")
            let type = isPrefix ? String(sides[1].dropLast()) : sides[1]
            rules.append(Rule(lane: names.firstIndex(of: sides[0]) ?? 0, type: type, isPrefix: isPrefix))
        }
        self.rules = rules
        self.names = names
    }

    /// The lane that takes `type`, by its place in ``names``.
    public func index(for type: String) -> Int {
        if type.utf8.first == UInt8(ascii: "$"), SystemType.ofNodes.contains(type) { return 1 }
        return rules.first { $0.isPrefix ? type.hasPrefix($0.type) : type == $0.type }?.lane ?? 0
    }

    /// The lane that takes `type`.
    public func lane(for type: String) -> String { names[index(for: type)] }
}
