import Foundation

extension BenchResult {
    /// A few lines for people.
    public var table: String {
        var lines = [
            "\(scenario)  " + parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " "),
            "  rate      \(Self.number(rate))/s  (\(count) in \(String(format: "%.1f", seconds)) s)",
        ]
        if let latency {
            lines.append(
                "  latency   p50 \(Self.time(latency.p50))  p90 \(Self.time(latency.p90))  p99 \(Self.time(latency.p99))"
                    + "  p99.9 \(Self.time(latency.p999))  max \(Self.time(latency.max))"
            )
        }
        if !processors.isEmpty {
            let parts = processors.map {
                "\($0.name) \(String(format: "%.2f", $0.cores)) (\(String(format: "%.1f", $0.perMessage)) µs each)"
            }
            lines.append("  cores     " + parts.joined(separator: ", "))
        }
        for (name, value) in figures.sorted(by: { $0.key < $1.key }) { lines.append("  \(name)  \(Self.number(value))") }
        if count == 0 { lines.append("  NOTHING MEASURED") }
        if !faults.isEmpty {
            lines.append(
                "  FAULTS    lost \(faults.lost), repeated \(faults.repeated), misordered \(faults.misordered), refused \(faults.refused),"
                    + " closed \(faults.closed)"
            )
            lines += notes.map { "            \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    /// One line of JSON.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    static func number(_ value: Double) -> String {
        guard value >= 100 else { return String(format: "%.2f", value) }
        let digits = Array(String(Int(value.rounded())))
        return String(
            digits.enumerated().flatMap { index, digit in
                index > 0 && (digits.count - index) % 3 == 0 ? [",", digit] : [digit]
            }
        )
    }

    static func time(_ microseconds: Double) -> String {
        microseconds < 10_000 ? "\(Int(microseconds)) µs" : String(format: "%.1f ms", microseconds / 1000)
    }
}
