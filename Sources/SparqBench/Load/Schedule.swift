/// When messages are due at a fixed rate, whatever became of those before.
struct Schedule {
    private let interval: Double?
    private let start: Int
    private var sent = 0

    init(_ pace: LoadSettings.Pace, from start: Int) {
        self.start = start
        if case .rate(let rate) = pace { interval = 1e9 / max(rate, 0.001) } else { interval = nil }
    }

    /// The moment at which the next message is due, if it has come.
    mutating func next(_ now: Int) -> Int? {
        guard let interval else { return nil }
        let due = start + Int(Double(sent) * interval)
        guard due <= now else { return nil }
        sent += 1
        return due
    }

    /// The lane of the message that ``next(_:)`` gave.
    func lane(of count: Int) -> Int { (sent - 1) % count }

    /// Nanoseconds until the next message is due.
    func wait(_ now: Int) -> Int {
        guard let interval else { return .max }
        return max(0, start + Int(Double(sent) * interval) - now)
    }
}
