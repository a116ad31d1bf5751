/// How messages are sent, and for how long.
public struct LoadSettings: Sendable {
    /// When the next message of a sender goes out.
    public enum Pace: Sendable {
        /// So many of each sender are on their way: the next one goes when one is complete.
        case window(Int)
        /// So many a second of all senders together, whatever the answers do. Latency counts from the moment at which a message was due, so
        /// that a server that stalls cannot hide the messages that it held up ("coordinated omission").
        case rate(Double)
    }

    /// When the next message goes out.
    public var pace = Pace.window(8)
    /// Bytes of a message's JSON.
    public var bytes = 200
    /// Seconds before the measurement begins.
    public var warmUp = 2.0
    /// Seconds of the measurement.
    public var seconds = 10.0
    /// Prints a line a second to standard error.
    public var showsProgress = true
    /// Whose CPU time is read.
    public var processes: WatchedProcesses

    /// The defaults.
    public init(processes: WatchedProcesses) { self.processes = processes }

    var parameters: [String: String] {
        var parameters = ["bytes": "\(bytes)"]
        switch pace {
        case .window(let window): parameters["window"] = "\(window)"
        case .rate(let rate): parameters["rate"] = "\(rate)"
        }
        let workers = processes.pids("worker").count
        if workers > 0 { parameters["workers"] = "\(workers)" }
        return parameters
    }
}
