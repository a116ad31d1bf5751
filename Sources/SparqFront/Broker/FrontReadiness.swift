import NIOConcurrencyHelpers
import SparqWire

/// Whether the front can serve, and what is missing where it cannot. Thread-safe.
final class FrontReadiness: Sendable {
    struct State: Sendable, Equatable {
        /// Messages can be published.
        var isPublishing = false
        /// The node's queue is consumed.
        var isConsuming = false
        /// A worker has answered the node's lease, no longer ago than the lease lasts.
        private(set) var isLeased = false
        var isDraining = false
        /// When a worker answered last.
        private var answeredAt = 0
        /// Answers that came before the next one of a lease may have been lost.
        private var isDoubted = false
        /// Something was lost since that doubt began.
        private var hasLostSince = false

        /// What clients say leaves, and answers come back.
        var isServed: Bool { isPublishing && isConsuming && isLeased }
        /// New sockets are welcome.
        var isReady: Bool { isServed && !isDraining }

        /// What an answer to a lease changes.
        struct Answered: Sendable, Equatable {
            /// The first one for as long as a lease lasts.
            var isLeasedAgain: Bool
            /// What waited in the node's queue has come by now, and what is still without an answer may have lost it.
            var endsDoubt: Bool
            /// All is to be asked for once more: something was lost while it was.
            var beginsDoubt = false
        }

        /// A worker answered. Times are nanoseconds of a clock that never goes back.
        @discardableResult
        mutating func leaseAnswered(now: Int) -> Answered {
            defer {
                isLeased = true
                isDoubted = hasLostSince
                hasLostSince = false
                answeredAt = now
            }
            return Answered(isLeasedAgain: !isLeased, endsDoubt: isDoubted && !hasLostSince, beginsDoubt: hasLostSince)
        }

        /// The node's queue is consumed again, and what was in it may be gone.
        mutating func doubt() { isDoubted = true }

        /// The broker dropped something of the node's queue. Returns whether all is to be asked for at once: while it is on its way already, it is asked
        /// for when that has come, or a front that is too slow would have the more to do.
        mutating func lose() -> Bool {
            hasLostSince = isDoubted
            isDoubted = true
            return !hasLostSince
        }

        /// Time passed. True where the lease ran out with it.
        mutating func expireLease(now: Int, after lease: Int) -> Bool {
            guard isLeased, now - answeredAt > lease else { return false }
            isLeased = false
            return true
        }
    }

    /// For how long a front that starts, or lost a connection to the broker, lets requests wait instead of refusing them.
    static let patience: Duration = .seconds(3)

    private struct Kept {
        var state = State()
        /// Since when the front has not been served; `nil` while it is.
        var unservedSince: Int? = Clock.now()
    }

    private let kept = NIOLockedValueBox(Kept())

    var current: State { kept.withLockedValue { $0.state } }

    @discardableResult
    func change<Result>(_ body: (inout State) -> Result) -> Result {
        kept.withLockedValue { kept in
            defer { kept.unservedSince = kept.state.isServed ? nil : kept.unservedSince ?? Clock.now() }
            return body(&kept.state)
        }
    }

    /// Whether the front is served, or was again before it had been without for longer than ``patience``.
    func isServedSoon() async -> Bool {
        while let since = kept.withLockedValue({ $0.unservedSince }) {
            guard Clock.now() - since < Self.patience.nanoseconds, (try? await Task.sleep(for: .milliseconds(20))) != nil else {
                return false
            }
        }
        return true
    }
}

extension FrontReadiness.State {
    /// The body of `/readyz`.
    var json: [UInt8] {
        var writer = JSONWriter(reservingCapacity: 128)
        writer.raw(isReady ? "{\"ready\":true" : "{\"ready\":false")
        writer.raw(isPublishing ? ",\"publishing\":true" : ",\"publishing\":false")
        writer.raw(isConsuming ? ",\"consuming\":true" : ",\"consuming\":false")
        writer.raw(isLeased ? ",\"lease\":true" : ",\"lease\":false")
        writer.raw(isDraining ? ",\"draining\":true}" : ",\"draining\":false}")
        return writer.bytes
    }
}
