/// Which side of a connection last showed when that it is alive, as a value.
///
/// The broker sends something at least every half heartbeat, and so do we. librabbitmq's own account is turned off: past its deadline it reads
/// without a limit, from within a write.
struct Heartbeats: Equatable {
    typealias Instant = ContinuousClock.Instant

    /// What was agreed on with the broker.
    let interval: Duration
    private var heardAt: Instant
    private var sentAt: Instant

    init(interval: Duration, now: Instant) {
        self.interval = interval
        heardAt = now
        sentAt = now
    }

    /// Whether so much time passed that the kernel should be asked when something arrived last.
    func isInDoubt(now: Instant) -> Bool { now - heardAt >= interval / 2 }

    /// Something arrived then.
    mutating func heard(at instant: Instant) { heardAt = max(heardAt, instant) }

    /// For how long nothing arrived, where that is too long.
    func silence(now: Instant) -> Duration? {
        let silence = now - heardAt
        return silence >= interval * 2 ? silence : nil
    }

    /// Whether we have to show that we are alive, which then counts as done.
    mutating func sendsNow(_ now: Instant) -> Bool {
        guard now - sentAt >= interval / 2 else { return false }
        sentAt = now
        return true
    }
}
