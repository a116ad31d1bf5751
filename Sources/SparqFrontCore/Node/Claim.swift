/// Whether the node's id is this front's. A value without I/O.
///
/// Who has the id is who holds an exclusive queue on the broker. Such a queue goes with its connection, but the broker may notice late that a connection
/// is dead: then it refuses us what is our own. So a front that has had the id works on while it is refused, for longer than the broker can be so late.
package struct Claim {
    package enum Answer: Equatable, Sendable {
        case granted
        /// Another connection holds it.
        case refused
        /// The broker is away, or makes no queues.
        case unknown
    }

    package enum Change: Equatable, Sendable {
        case won
        case lost
    }

    private enum State {
        case waiting
        case held
        /// Refused since then.
        case doubted(since: ContinuousClock.Instant)
    }

    private let patience: Duration
    private var state = State.waiting
    package private(set) var isRefused = false

    /// - Parameter patience: For how long a front that had the id may be refused it.
    package init(patience: Duration) { self.patience = patience }

    /// The broker has answered.
    package mutating func answered(_ answer: Answer, now: ContinuousClock.Instant) -> Change? {
        if answer != .unknown { isRefused = answer == .refused }
        switch (state, answer) {
        case (.waiting, .granted):
            state = .held
            return .won
        case (.doubted, .granted): state = .held
        case (.held, .refused): state = .doubted(since: now)
        case (.doubted(let since), .refused) where now - since >= patience:
            state = .waiting
            return .lost
        default: break
        }
        return nil
    }

    /// Until the next look.
    package var pause: Duration {
        switch state {
        case .held: .seconds(1)
        case .doubted: .milliseconds(250)
        case .waiting: .milliseconds(500)
        }
    }
}
