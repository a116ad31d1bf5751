import NIOConcurrencyHelpers
import SparqProtocol

/// Whether the front can serve, and what is missing where it cannot. Thread-safe.
final class Readiness: Sendable {
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

        var isReady: Bool { isPublishing && isConsuming && isLeased && !isDraining }

        /// A worker answered. Times are nanoseconds of a clock that never goes back.
        mutating func leaseAnswered(now: Int) {
            isLeased = true
            answeredAt = now
        }

        /// Time passed. True where the lease ran out with it.
        mutating func expireLease(now: Int, after lease: Int) -> Bool {
            guard isLeased, now - answeredAt > lease else { return false }
            isLeased = false
            return true
        }
    }

    private let state = NIOLockedValueBox(State())

    var current: State { state.withLockedValue { $0 } }

    @discardableResult
    func change<Result>(_ body: (inout State) -> Result) -> Result { state.withLockedValue { body(&$0) } }
}

extension Readiness.State {
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
