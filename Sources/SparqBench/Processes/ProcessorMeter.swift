/// CPU time of some processes, and what the machine had left, between two moments.
struct ProcessorMeter {
    private let processes: WatchedProcesses
    private let start: [(name: String, nanoseconds: [Int: Int])]
    private let machine = MachineTimes()
    private let writes: Int
    private let begun = nanoseconds()

    init(_ processes: WatchedProcesses) {
        self.processes = processes
        writes = processes.writes("front")
        start = processes.times()
    }

    func shares(messages: Int) -> [BenchResult.Processor] {
        let elapsed = max(1, nanoseconds() - begun)
        return zip(start, processes.times()).map { before, after in
            let used = Self.used(from: before.nanoseconds, to: after.nanoseconds)
            return BenchResult.Processor(
                name: after.name,
                cores: Double(used) / Double(elapsed),
                perMessage: Double(used) / 1000 / Double(max(1, messages))
            )
        }
    }

    /// Process by process: one that ended between takes nothing away from the others, and one that began counts whole.
    static func used(from before: [Int: Int], to after: [Int: Int]) -> Int {
        after.reduce(0) { $0 + max(0, $1.value - (before[$1.key] ?? 0)) }
    }

    /// Writes who used the CPU, and how many cores had nothing to do or waited for a disk.
    func report(into result: inout BenchResult) {
        let elapsed = Double(max(1, nanoseconds() - begun))
        result.processors = shares(messages: result.count)
        let end = MachineTimes()
        result.figures["idle_cores"] = Double(end.idle - machine.idle) / elapsed
        if !processes.pids("front").isEmpty { result.figures["front_writes"] = Double(processes.writes("front") - writes) }
        result.figures["disk_wait_cores"] = Double(end.diskWait - machine.diskWait) / elapsed
    }
}
