import Foundation

/// What becomes of the figures as more takes part.
extension Report {
    /// Each fan-out beside the programs that only send: one frame with each `send`, and as many as the front's writes had.
    var fanoutRows: [Row] {
        let fanouts = results.filter { $0.value.first?.scenario == "fanout" }
        return fanouts.sorted { ($0.key.count, $0.key) < ($1.key.count, $1.key) }.flatMap { key, rounds in
            let receivers = rounds.first?.parameters["receivers"] ?? ""
            let joinedKey = Self.bareKey(receivers: receivers, joined: "2")
            let joined = Self.median((results[joinedKey] ?? []).compactMap { $0.parameters["joined"].flatMap { Double($0) } })
            let isAlone = rounds.first?.parameters["window"] == "1"
            return [
                higher(key, rate(key), rate(Self.bareKey(receivers: receivers, joined: "1")), "bare sender, a frame with each send", 0.85),
                joined.flatMap { joined in
                    higher(
                        key,
                        isAlone ? nil : rate(key),
                        rate(joinedKey),
                        "bare sender, \(Int(joined)) frames with each send, as the front",
                        0.85
                    )
                },
            ].compactMap(\.self)
        }
    }

    /// CPU of all roles for each message, at the same rate, with few and with many.
    var growthRows: [Row] {
        [
            growth("echo", of: "connections", goal: 1.3),
            growth("durable", of: "topics", goal: 1.2),
        ].compactMap(\.self)
    }

    private func growth(_ scenario: String, of parameter: String, goal: Double) -> Row? {
        let keys = results.filter { $0.value.first?.scenario == scenario && $0.value.first?.parameters["rate"] != nil }
            .compactMap { key, rounds in rounds.first?.parameters[parameter].flatMap { Int($0) }.map { (key: key, size: $0) } }
            .sorted { $0.size < $1.size }
        guard let few = keys.first, let many = keys.last, few.size < many.size, let before = cost(few.key), let after = cost(many.key),
            before > 0
        else { return nil }
        let rooms = parameter == "connections" && results[many.key]?.first?.parameters["topics"] == "1" ? ", a room of its own each" : ""
        return Row(
            name: "\(scenario) at a fixed rate, \(few.size) → \(many.size) \(parameter)\(rooms), CPU of all roles",
            figure: "\(BenchResult.number(after)) µs a message",
            yardstick: "\(BenchResult.number(before)) µs a message (\(few.size) \(parameter))",
            ratio: after / before,
            goal: "≤ \(goal)",
            isReached: after / before <= goal
        )
    }

    /// Memory of a connection, and how long the last one of a crowd waits that comes all at once.
    var arrivalRows: [Row] {
        results.filter { $0.value.first?.scenario == "connections" }.sorted { $0.key < $1.key }.flatMap { key, rounds in
            let parameters = rounds.first?.parameters ?? [:]
            let slowest = parameters["at_once"] == parameters["connections"] ? Self.median(rounds.compactMap { $0.latency?.max }) : nil
            let bytes = Self.median(rounds.compactMap { $0.figures["resident_bytes_per_connection"] })
            return [
                bytes.map {
                    Row(
                        name: "\(key), resident memory each",
                        figure: "\(BenchResult.number($0)) bytes",
                        yardstick: "",
                        goal: "≤ 6,144 bytes",
                        isReached: $0 <= 6144
                    )
                },
                // After ten seconds a front gives a socket up.
                slowest.map {
                    Row(
                        name: "\(key), welcome and subscribed, the slowest",
                        figure: BenchResult.time($0),
                        yardstick: "",
                        goal: "≤ 10 s",
                        isReached: $0 <= 10_000_000
                    )
                },
            ].compactMap(\.self)
        }
    }

    /// The crowd on more fronts and workers: where the CPU goes, and whether any is left.
    var scaling: String {
        let rows = results.filter { key, _ in
            key.hasPrefix("echo crowd") || key.hasPrefix("durable crowd")
        }
        guard rows.count > 2 else { return "" }
        var text =
            "\n| fronts and workers | rate | front µs | worker µs | broker µs | database µs | generator µs | idle cores | waiting for a disk |\n"
        text += "|---|---|---|---|---|---|---|---|---|\n"
        for (key, rounds) in rows.sorted(by: { $0.key < $1.key }) {
            let parameters = rounds.first?.parameters ?? [:]
            let processes = "\(parameters["fronts"] ?? "1") + \(parameters["workers"] ?? "1")"
            let commits = parameters["commits"].map { ", \($0) commit in flight each" } ?? ""
            let load = "\(parameters["connections"] ?? "") × \(parameters["window"] ?? "")\(commits)"
            let name = "\(rounds.first?.scenario ?? ""), \(processes), \(load)"
            let costs = ["front", "worker", "broker", "database", "generator"].map { role in
                Self.median(rounds.flatMap(\.processors).filter { $0.name == role }.map(\.perMessage)).map { String(format: "%.1f", $0) }
                    ?? ""
            }
            let wait = Self.median(rounds.compactMap { $0.figures["disk_wait_cores"] }).map { String(format: "%.2f", $0) } ?? ""
            text +=
                "| \(name) | \(rate(key).map(BenchResult.number) ?? "")/s | \(costs.joined(separator: " | ")) | \(idle(key)) | \(wait) |\n"
        }
        return text
    }

    /// Cores that had nothing to do.
    func idle(_ key: String) -> String {
        Self.median((results[key] ?? []).compactMap { $0.figures["idle_cores"] }).map { String(format: "%.2f", $0) } ?? ""
    }

    /// Microseconds of CPU for a message, of all but the generator.
    private func cost(_ key: String) -> Double? {
        Self.median(
            (results[key] ?? []).map { round in
                round.processors.reduce(0) { $0 + ($1.name == "generator" ? 0 : $1.perMessage) }
            }
        )
    }
}
