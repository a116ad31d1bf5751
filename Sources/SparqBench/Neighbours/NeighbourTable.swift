import Foundation

/// Bystanders' waits during each attack, beside those in quiet.
public struct NeighbourTable {
    /// p99 may be so many times as long as in quiet.
    static let limit = 5.0
    /// Microseconds: a quiet p99 below counts as this, because a machine's own hiccups are as long.
    static let floor = 5000.0

    private let results: [BenchResult]

    /// Lines of JSON, as the measurements print them.
    public init(lines: [String]) throws {
        results = try lines.filter { $0.hasPrefix("{") }.map { try JSONDecoder().decode(BenchResult.self, from: Data($0.utf8)) }
    }

    /// What the ratios are counted from, in microseconds; nil where quiet was not measured.
    var yardstick: Double? {
        results.first { $0.parameters["attack"] == Neighbours.quiet }?.latency.map { max($0.p99, Self.floor) }
    }

    /// Whether an attack keeps others waiting for too long, or costs them an answer.
    func isHarmless(_ result: BenchResult) -> Bool {
        guard let yardstick, let latency = result.latency else { return false }
        return result.isSound && latency.p99 <= Self.limit * yardstick
    }

    /// Whether no attack does, and there is something to compare.
    public var isSound: Bool { yardstick != nil && results.allSatisfy(isHarmless) }

    /// The table.
    public var markdown: String {
        var text = "| while | bystanders' messages | errors | p50 | p99 | × quiet | said by the attack | refused | closed | |\n"
        text += "|---|---|---|---|---|---|---|---|---|---|\n"
        for result in results {
            let faults = result.faults
            let errors = faults.lost + faults.repeated + faults.misordered + faults.refused + faults.closed
            let ratio = yardstick.flatMap { yardstick in result.latency.map { String(format: "%.1f", $0.p99 / yardstick) } } ?? ""
            let attack = ["said", "refused", "closed"].map { result.figures["attack_\($0)"].map { "\(Int($0))" } ?? "" }
            let cells = [
                result.parameters["title"] ?? "", "\(result.count)", "\(errors)", result.latency.map { BenchResult.time($0.p50) } ?? "",
                result.latency.map { BenchResult.time($0.p99) } ?? "", ratio,
            ]
            text += "| " + (cells + attack + [isHarmless(result) ? "harmless" : "HARM"]).joined(separator: " | ") + " |\n"
        }
        return text
    }
}
