/// What one measurement found. Written as one line of JSON.
public struct BenchResult: Codable, Sendable {
    /// Times in microseconds.
    public struct Latency: Codable, Sendable {
        /// Half are no slower.
        public var p50: Double
        /// Nine of ten are no slower.
        public var p90: Double
        /// 99 of 100 are no slower.
        public var p99: Double
        /// 999 of 1,000 are no slower.
        public var p999: Double
        /// The slowest.
        public var max: Double
    }

    /// What a kind of process used.
    public struct Processor: Codable, Sendable {
        /// `generator`, `front`, `worker`, `broker`, `database`.
        public var name: String
        /// Cores, on average: 1 is one core all the time.
        public var cores: Double
        /// Microseconds of CPU for each message.
        public var perMessage: Double
    }

    /// What must not be. Any of them makes the measurement fail.
    public struct Faults: Codable, Sendable, Equatable {
        /// Sent, and never answered or delivered.
        public var lost = 0
        /// Answered or delivered more than once.
        public var repeated = 0
        /// Came before what was to come first.
        public var misordered = 0
        /// Error replies.
        public var refused = 0
        /// Sockets that closed.
        public var closed = 0

        /// Nothing is wrong.
        public var isEmpty: Bool { self == Faults() }
    }

    /// What was measured, such as `echo`.
    public var scenario: String
    /// How.
    public var parameters: [String: String] = [:]
    /// How long, without the warm-up.
    public var seconds = 0.0
    /// Messages that were completed in that time; for `fanout` deliveries.
    public var count = 0
    /// Of them, for each second.
    public var rate = 0.0
    /// From when a message was due to when it was complete; for `fanout` to each delivery.
    public var latency: Latency?
    /// Who used the CPU.
    public var processors: [Processor] = []
    /// Nothing, if all is well.
    public var faults = Faults()
    /// What a fault said, for the first few.
    public var notes: [String] = []
    /// Other figures, by name.
    public var figures: [String: Double] = [:]

    /// Something was measured, and nothing was wrong with it.
    public var isSound: Bool { count > 0 && faults.isEmpty }

    init(_ scenario: String, _ parameters: [String: String]) {
        self.scenario = scenario
        self.parameters = parameters
    }
}
