/// One fault of a plan.
struct Fault: Hashable, Sendable, CustomStringConvertible {
    let kind: FaultKind
    /// When, in milliseconds from the start of the load.
    let at: Int
    /// How long the victim stays dead or asleep, in milliseconds.
    let outage: Int
    /// Which of several; counted from 0.
    var target: Int

    var description: String {
        let name = kind.victim == .front || kind.victim == .worker ? "\(kind.rawValue) \(target + 1)" : kind.rawValue
        return "\(seconds(at)) \(name)" + (outage > 0 ? " for \(seconds(outage))" : "")
    }
}

/// Milliseconds as people read them, like `2.400 s`.
func seconds(_ milliseconds: Int) -> String {
    let rest = String(milliseconds % 1_000)
    return "\(milliseconds / 1_000).\(String(repeating: "0", count: 3 - rest.count))\(rest) s"
}
