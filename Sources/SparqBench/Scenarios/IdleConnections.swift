/// Many clients that are logged in, have a room of their own each and say nothing: how fast they arrive, and what they cost in memory.
public struct IdleConnections: Sendable {
    var fronts: [Address]
    var connections: Int
    /// How many may be in the middle of their arrival.
    var atOnce: Int
    var processes: WatchedProcesses

    /// A measurement; nothing runs yet.
    public init(fronts: [Address], connections: Int, atOnce: Int, processes: WatchedProcesses) {
        self.fronts = fronts
        self.connections = connections
        self.atOnce = atOnce
        self.processes = processes
    }

    /// Measures.
    public func run() throws -> BenchResult {
        let user = try BenchUser(at: fronts[0])
        let tag = Tag()
        let few = 64
        try user.makeRooms((0..<(few + connections)).map(tag.room), at: fronts[0])
        var result = BenchResult("connections", ["connections": "\(connections)", "at_once": "\(atOnce)", "fronts": "\(fronts.count)"])
        result.parameters["topics"] = "1"
        let first = try Fleet()
        // What the first few bring with them is no cost of the others. Nothing tells when the fronts are done with it: a moment must do.
        try first.open(few, at: fronts, session: user.token, topics: { ["room:\(tag.room($0))"] })
        try wait(0.5, first)
        let before = processes.residentBytes("front")
        let meter = ProcessorMeter(processes)
        let fleet = try Fleet()
        var latencies = LatencyRecorder()
        let start = nanoseconds()
        let topics = { (index: Int) in ["room:\(tag.room(few + index))"] }
        try fleet.open(connections, at: fronts, session: user.token, atOnce: atOnce, topics: topics) { latencies.record($0) }
        result.seconds = Double(nanoseconds() - start) / 1e9
        result.count = connections
        result.rate = Double(connections) / result.seconds
        result.latency = latencies.summary
        meter.report(into: &result)
        // Buffers of the arrival shrink with the next reads; pings make every socket read once.
        try wait(3, fleet)
        result.figures["resident_bytes_per_connection"] = Double(processes.residentBytes("front") - before) / Double(connections)
        result.faults.closed = fleet.closed.count
        return result
    }

    private func wait(_ seconds: Double, _ fleet: Fleet) throws {
        let end = nanoseconds() + Int(seconds * 1e9)
        while nanoseconds() < end { try fleet.turn(nanoseconds: 100_000_000) { _, _ in } }
    }
}
