import NIOConcurrencyHelpers
import SparqProtocol

/// Whether the front can serve, and what is missing where it cannot. Thread-safe.
final class Readiness: Sendable {
    struct State: Sendable, Equatable {
        /// Messages can be published.
        var isPublishing = false
        /// The node's queue is consumed.
        var isConsuming = false
        /// A worker has answered the node's lease.
        var isLeased = false
        var isDraining = false

        var isReady: Bool { isPublishing && isConsuming && isLeased && !isDraining }
    }

    private let state = NIOLockedValueBox(State())

    var current: State { state.withLockedValue { $0 } }

    func change(_ body: (inout State) -> Void) { state.withLockedValue { body(&$0) } }
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
