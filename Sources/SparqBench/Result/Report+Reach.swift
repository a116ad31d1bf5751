/// What a whole run must bring.
extension Report {
    /// The rows of the goals, and what their yardsticks say.
    private static let reach = [
        ("echo, 100 × 8", "single messages"),
        ("echo, one in flight, p50", ""),
        ("durable, 100 × 8", "single messages"),
        ("durable, 100 × 8", "pgbench"),
        ("durable, one in flight, p50", ""),
        ("fanout 1 → 1000", ""),
        ("fanout 1 → 5000", ""),
        ("fanout 1 → 5000, one at a time", ""),
        ("echo at a fixed rate, 100 → 10000 connections, a room of its own each, CPU of all roles", ""),
        ("durable at a fixed rate, 1 → 200 topics, CPU of all roles", ""),
        ("connections 5000, 256 at once, a room of its own each, resident memory each", ""),
        ("connections 10000, 256 at once, a room of its own each, resident memory each", ""),
        ("connections 10000, 10000 at once, a room of its own each, resident memory each", ""),
        ("connections 10000, 10000 at once, a room of its own each, welcome and subscribed, the slowest", ""),
    ]
    /// Rows of the second and the third table that have no goal of their own.
    private static let scaled =
        ["echo", "durable"].flatMap { name in [1, 2].map { "\(name) crowd, fronts=4, workers=\($0)" } }
        + ["durable crowd, fronts=4, workers=2, commits=1"]

    /// Those that are not there.
    var missing: [Row] {
        let rows = rows
        let goals = Self.reach.filter { name, yardstick in
            !rows.contains { $0.name == name && (yardstick.isEmpty || $0.yardstick.contains(yardstick)) }
        }
        let keys = Self.scaled.filter { results[$0] == nil }
        return (goals + keys.map { ($0, "") }).map { Row(name: $0, figure: "not measured", yardstick: $1, goal: "", isReached: false) }
    }

    /// Whether everything is there that a whole run must bring.
    public var isWhole: Bool { missing.isEmpty }
}
