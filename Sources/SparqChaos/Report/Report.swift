/// The outcome of a run as people read it.
struct Report: Sendable {
    struct Recovery: Sendable {
        let kind: FaultKind
        /// Milliseconds; `nil` where service did not come back.
        let time: Int?
        /// Milliseconds until the process that was started again was ready; `nil` where there was none.
        var ready: Int?
    }

    var title: String
    var verdict: Verdict
    var recoveries: [Recovery] = []
    /// Faults of the plan that found nobody; no fault of the system's.
    var skipped: [String] = []
    var failures: [String] = []
    /// Reply latencies: median, 99th percentile and longest, in milliseconds.
    var latencies = (0, 0, 0)

    var isClean: Bool { verdict.isClean && failures.isEmpty && recoveries.allSatisfy { $0.time != nil } }

    var text: String {
        var lines = ["", title, ""]
        lines += table(
            [
                ["durable messages sent", "\(verdict.sent)"], ["accepted", "\(verdict.accepted)"],
                ["abandoned by their client before the answer", "\(verdict.abandoned)"],
                ["events delivered", "\(verdict.deliveries)"], ["subscriptions checked", "\(verdict.subscriptions)"],
                ["sockets opened", "\(verdict.connections)"], ["sockets closed unannounced", "\(verdict.unannounced)"],
                ["messages written again", "\(verdict.resent)"], ["answers of unavailable or rate limited", "\(verdict.passing)"],
                ["requests over HTTP broken off", "\(verdict.brokenRequests)"],
                ["topics let go of and taken again", "\(verdict.returns)"],
                ["events of both the old and the new subscription", "\(verdict.overlaps)"],
                ["events ahead of a subscription's backlog", "\(verdict.early)"],
                ["answer after, median / p99 / longest", "\(latencies.0) / \(latencies.1) / \(latencies.2) ms"],
            ],
            header: ["load", ""]
        )
        lines.append("")
        let counted = Verdict.Fault.allCases.filter { verdict.isOrderly || !$0.isOfOrderlyRuns }
        lines += table(counted.map { [$0.rawValue, "\(verdict.count($0))"] }, header: ["must be zero", ""])
        if !recoveries.isEmpty {
            lines.append("")
            lines += table(recoveryRows, header: ["fault", "n", "service back after: median", "longest", "ready again: median", "longest"])
        }
        if !verdict.examples.isEmpty || !failures.isEmpty || !skipped.isEmpty {
            lines.append("")
            lines += verdict.examples.map { "  " + $0 } + failures.map { "  harness: " + $0 } + skipped.map { "  skipped: " + $0 }
        }
        lines += ["", isClean ? "CLEAN" : "FAILED", ""]
        return lines.joined(separator: "\n")
    }

    private var recoveryRows: [[String]] {
        FaultKind.allCases.compactMap { kind in
            let times = recoveries.filter { $0.kind == kind }
            guard !times.isEmpty else { return nil }
            let known = times.compactMap(\.time).sorted()
            let longest = known.count < times.count ? "never" : seconds(known.last ?? 0)
            let ready = times.compactMap(\.ready).sorted()
            return [
                kind.rawValue, "\(times.count)", known.isEmpty ? "never" : seconds(known[(known.count - 1) / 2]), longest,
                ready.isEmpty ? "" : seconds(ready[(ready.count - 1) / 2]), ready.last.map(seconds) ?? "",
            ]
        }
    }

    private func table(_ rows: [[String]], header: [String]) -> [String] {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            "| " + cells.enumerated().map { $1 + String(repeating: " ", count: widths[$0] - $1.count) }.joined(separator: " | ") + " |"
        }
        return [line(header), "|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|"] + rows.map(line)
    }
}
