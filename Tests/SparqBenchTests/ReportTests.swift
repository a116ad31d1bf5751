import Testing

@testable import SparqBench

/// The table says what the lines say.
struct ReportTests {
    private func line(_ scenario: String, _ parameters: [String: String], _ fill: (inout BenchResult) -> Void) throws -> String {
        var result = BenchResult(scenario, parameters)
        fill(&result)
        return try result.json()
    }

    private func fanout(_ rate: Double, window: String = "16") throws -> String {
        try line("fanout", ["receivers": "1000", "window": window]) { $0.rate = rate }
    }

    private func bare(_ rate: Double, joined: String) throws -> String {
        try line("fanout-bare", ["receivers": "1000", "joined": joined]) { $0.rate = rate }
    }

    @Test func takesTheMedianOfTheRounds() throws {
        let lines = try [100, 900, 500].map { try fanout($0) } + [try bare(1000, joined: "1")]
        let table = try Report(lines: lines).markdown
        #expect(table.contains("| fanout 1 → 1000 | 500/s | 1,000/s (bare sender, a frame with each send) | 0.50 | ≥ 0.85 | missed |"))
    }

    @Test func comparesWhatIsJoinedWithWhatIsJoined() throws {
        let lines = [try fanout(900), try bare(100, joined: "1"), try bare(1000, joined: "7")]
        let table = try Report(lines: lines).markdown
        #expect(table.contains("100/s (bare sender, a frame with each send) | 9.00 | ≥ 0.85 | reached |"))
        #expect(table.contains("1,000/s (bare sender, 7 frames with each send, as the front) | 0.90 | ≥ 0.85 | reached |"))
    }

    @Test func oneAtATimeHasOnlyTheSenderThatJoinsNothing() throws {
        let lines = [try fanout(90, window: "1"), try bare(100, joined: "1"), try bare(1000, joined: "7")]
        let table = try Report(lines: lines).markdown
        #expect(table.contains("| fanout 1 → 1000, one at a time | 90.00/s | 100/s (bare sender, a frame with each send) | 0.90 |"))
        #expect(!table.contains("as the front"))
    }

    @Test func growthLeavesTheGeneratorOut() throws {
        let lines = try [("100", 10.0), ("10000", 14.0)].map { connections, cost in
            try line("echo", ["rate": "2000.0", "connections": connections, "fronts": "1"]) {
                $0.processors = [
                    BenchResult.Processor(name: "generator", cores: 1, perMessage: 1000),
                    BenchResult.Processor(name: "front", cores: 0.1, perMessage: cost / 2),
                    BenchResult.Processor(name: "broker", cores: 0.1, perMessage: cost / 2),
                ]
            }
        }
        let table = try Report(lines: lines).markdown
        #expect(table.contains("100 → 10000 connections, CPU of all roles | 14.00 µs a message | 10.00 µs a message"))
        #expect(table.contains("(100 connections) | 1.40"))
        #expect(table.contains("≤ 1.3 | missed"))
    }

    @Test func aWholeRunHasEveryRow() throws {
        let report = try Report(lines: [try fanout(900), try bare(1000, joined: "1")])
        #expect(!report.isWhole)
        let table = report.markdown(isWhole: true)
        #expect(table.contains("| echo, one in flight, p50 | not measured |") && table.contains("durable crowd, fronts=4, workers=2 | not"))
        #expect(!table.contains("| fanout 1 → 1000 | not measured"))
        #expect(!report.markdown.contains("not measured"))
    }

    @Test func theRowsThatAWholeRunBringsAreThoseThatItMustBring() throws {
        func crowd(_ name: String, fronts: String, workers: String, _ more: [String: String] = [:]) throws -> String {
            let parameters = ["window": "8", "connections": "100", "fronts": fronts, "workers": workers]
            return try line(name, parameters.merging(more) { $1 }) { $0.rate = 1 }
        }
        func lone(_ name: String, _ parameters: [String: String] = [:]) throws -> String {
            try line(name, parameters.merging(["window": "1", "connections": "1"]) { $1 }) {
                $0.rate = 1
                $0.latency = BenchResult.Latency(p50: 1, p90: 1, p99: 1, p999: 1, max: 1)
            }
        }
        func grown(_ name: String, _ connections: String, _ topics: String, fronts: String) throws -> String {
            try line(name, ["rate": "10", "connections": connections, "topics": topics, "fronts": fronts]) {
                $0.processors = [BenchResult.Processor(name: "front", cores: 1, perMessage: 1)]
            }
        }
        var lines = [
            try line("broker", ["window": "256", "batch": "1"]) { $0.rate = 1 }, try lone("broker", ["batch": "1"]),
            try crowd("echo", fronts: "1", workers: "1"), try lone("echo", ["fronts": "1"]),
            try crowd("durable", fronts: "2", workers: "1"), try lone("durable", ["fronts": "2"]),
            try lone("pgbench"), try line("pgbench", ["window": "1", "connections": "16"]) { $0.rate = 1 },
            try grown("echo", "100", "1", fronts: "1"), try grown("echo", "10000", "1", fronts: "1"),
            try grown("durable", "50", "1", fronts: "2"), try grown("durable", "50", "200", fronts: "2"),
        ]
        for receivers in ["1000", "5000"] {
            for window in ["16", "1"] { lines.append(try line("fanout", ["receivers": receivers, "window": window]) { $0.rate = 1 }) }
            lines.append(try line("fanout-bare", ["receivers": receivers, "joined": "1"]) { $0.rate = 1 })
        }
        for name in ["echo", "durable"] { for workers in ["1", "2"] { lines.append(try crowd(name, fronts: "4", workers: workers)) } }
        lines.append(try crowd("durable", fronts: "4", workers: "2", ["commits": "1"]))
        for (connections, atOnce) in [("5000", "256"), ("10000", "256"), ("10000", "10000")] {
            lines.append(
                try line("connections", ["connections": connections, "at_once": atOnce, "topics": "1"]) {
                    $0.figures["resident_bytes_per_connection"] = 1
                    $0.latency = BenchResult.Latency(p50: 1, p90: 1, p99: 1, p999: 1, max: 1)
                }
            )
        }
        let whole = try Report(lines: lines)
        #expect(whole.isWhole, "\(whole.missing.map(\.name))")
        for index in lines.indices {
            var fewer = lines
            fewer.remove(at: index)
            // All but the fan-out that nobody asks for: 1,000 receivers, one at a time.
            let isSpare = lines[index].contains("\"receivers\":\"1000\"") && lines[index].contains("\"window\":\"1\"")
            #expect(try Report(lines: fewer).isWhole == isSpare, "\(lines[index])")
        }
    }

    @Test func moreFrontsAreAnotherMeasurement() throws {
        let lines = try [("1", "1"), ("4", "1"), ("4", "2")].map { fronts, workers in
            try line("echo", ["window": "8", "connections": "100", "fronts": fronts, "workers": workers]) { $0.rate = 1000 }
        }
        let table = try Report(lines: lines).markdown
        for row in ["1 + 1", "4 + 1", "4 + 2"] { #expect(table.contains("| echo, \(row), 100 × 8 | 1,000/s |")) }
    }
}
