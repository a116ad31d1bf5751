import Foundation

/// Medians of several rounds, each with its yardstick, as a table. Nothing in it is typed by hand.
public struct Report {
    private(set) var results: [String: [BenchResult]] = [:]

    /// Lines of JSON, as the measurements print them.
    public init(lines: [String]) throws {
        for line in lines where line.hasPrefix("{") {
            let result = try JSONDecoder().decode(BenchResult.self, from: Data(line.utf8))
            results[Self.key(result), default: []].append(result)
        }
    }

    /// A row of the goals' table.
    struct Row {
        var name: String
        var figure: String
        var yardstick: String
        var ratio: Double?
        var goal: String
        var isReached: Bool?
    }

    /// The table of the goals, and what each measurement found.
    public var markdown: String { markdown(isWhole: false) }

    /// - Parameter isWhole: everything was to be measured; what was not stands in the table too.
    public func markdown(isWhole: Bool) -> String {
        var text = "| what | measured | yardstick | ratio | goal | |\n|---|---|---|---|---|---|\n"
        for row in rows + (isWhole ? missing : []) {
            let mark = row.isReached.map { $0 ? "reached" : "missed" } ?? ""
            let ratio = row.ratio.map { String(format: "%.2f", $0) } ?? ""
            text += "| \(row.name) | \(row.figure) | \(row.yardstick) | \(ratio) | \(row.goal) | \(mark) |\n"
        }
        text +=
            "\n| measurement | rounds | rate | p50 | p99 | p99.9 | cores: µs of CPU per message | idle |\n|---|---|---|---|---|---|---|---|\n"
        for (key, rounds) in results.sorted(by: { $0.key < $1.key }) {
            let latency = { (path: KeyPath<BenchResult.Latency, Double>) in
                Self.median(rounds.compactMap { $0.latency?[keyPath: path] }).map(BenchResult.time) ?? ""
            }
            text +=
                "| \(key) | \(rounds.count) | \(Self.median(rounds.map(\.rate)).map(BenchResult.number) ?? "")/s | \(latency(\.p50))"
                + " | \(latency(\.p99)) | \(latency(\.p999)) | \(Self.processors(rounds)) | \(idle(key)) |\n"
        }
        return text + scaling
    }

    var rows: [Row] {
        let single = rate("broker batch=1 saturated")
        let lone = p50("broker batch=1 lone")
        let commit = p50("pgbench lone")
        return [
            higher("echo, 100 × 8", rate("echo crowd"), single, "bare pipeline, single messages", 2),
            lower("echo, one in flight, p50", p50("echo lone"), lone, "bare pipeline, one in flight, p50", 2),
            higher("durable, 100 × 8", rate("durable crowd"), single, "bare pipeline, single messages", 1),
            higher("durable, 100 × 8", rate("durable crowd"), rate("pgbench crowd"), "pgbench, one row a commit, 16 clients", 1),
            lower(
                "durable, one in flight, p50",
                p50("durable lone"),
                lone.flatMap { lone in commit.map { lone * 2 + $0 } },
                "2 × bare pipeline's p50 + one pgbench commit",
                1
            ),
        ].compactMap(\.self) + fanoutRows + growthRows + arrivalRows
    }

    func higher(_ name: String, _ value: Double?, _ yardstick: Double?, _ what: String, _ goal: Double) -> Row? {
        guard let value, let yardstick, yardstick > 0 else { return nil }
        return Row(
            name: name,
            figure: "\(BenchResult.number(value))/s",
            yardstick: "\(BenchResult.number(yardstick))/s (\(what))",
            ratio: value / yardstick,
            goal: "≥ \(goal)",
            isReached: value / yardstick >= goal
        )
    }

    func lower(_ name: String, _ value: Double?, _ yardstick: Double?, _ what: String, _ goal: Double) -> Row? {
        guard let value, let yardstick, yardstick > 0 else { return nil }
        return Row(
            name: name,
            figure: BenchResult.time(value),
            yardstick: "\(BenchResult.time(yardstick)) (\(what))",
            ratio: value / yardstick,
            goal: "≤ \(goal)",
            isReached: value / yardstick <= goal
        )
    }

    func rate(_ key: String) -> Double? { Self.median((results[key] ?? []).map(\.rate)) }
    func p50(_ key: String) -> Double? { Self.median((results[key] ?? []).compactMap { $0.latency?.p50 }) }

    /// What is measured in the same way has the same key.
    private static func key(_ result: BenchResult) -> String {
        let parameters = result.parameters
        let isLone = parameters["window"] == "1" && (parameters["connections"] ?? "1") == "1"
        switch result.scenario {
        case "broker": return "broker batch=\(parameters["batch"] ?? "1") \(isLone ? "lone" : "saturated")"
        case "fanout": return "fanout 1 → \(parameters["receivers"] ?? "")\(parameters["window"] == "1" ? ", one at a time" : "")"
        case "fanout-bare": return bareKey(receivers: parameters["receivers"] ?? "", joined: parameters["joined"] ?? "1")
        case "connections":
            let rooms = parameters["topics"] == "1" ? ", a room of its own each" : ""
            return "connections \(parameters["connections"] ?? ""), \(parameters["at_once"] ?? "") at once\(rooms)"
        case let name: return loadKey(name, parameters, isLone: isLone)
        }
    }

    static func bareKey(receivers: String, joined: String) -> String {
        "fanout-bare 1 → \(receivers)\(joined == "1" ? "" : ", joined")"
    }

    private static func loadKey(_ name: String, _ parameters: [String: String], isLone: Bool) -> String {
        var key = "\(name) \(parameters["rate"].map { "rate=\($0)" } ?? (isLone ? "lone" : "crowd"))"
        if parameters["rate"] != nil {
            key += ", connections=\(parameters["connections"] ?? "")"
            if let topics = parameters["topics"] { key += ", topics=\(topics)" }
        }
        let fronts = parameters["fronts"] ?? "1"
        let workers = parameters["workers"] ?? "1"
        if fronts != (name == "durable" ? "2" : "1") || workers != "1" { key += ", fronts=\(fronts), workers=\(workers)" }
        if let commits = parameters["commits"] { key += ", commits=\(commits)" }
        return key
    }

    private static func processors(_ rounds: [BenchResult]) -> String {
        guard let first = rounds.first else { return "" }
        return first.processors.map { processor in
            let same = rounds.flatMap(\.processors).filter { $0.name == processor.name }
            let cores = median(same.map(\.cores)) ?? 0
            let each = median(same.map(\.perMessage)) ?? 0
            return String(format: "%@ %.2f: %.1f", processor.name, cores, each)
        }.joined(separator: ", ")
    }

    static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
