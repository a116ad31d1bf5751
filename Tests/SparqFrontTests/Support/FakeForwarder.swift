import NIOConcurrencyHelpers
import SparqProtocol

@testable import SparqFront

/// Keeps what would go to the workers.
final class FakeForwarder: Forwarding {
    private let state = NIOLockedValueBox((batches: FormingBatches(pools: PoolMap(), limits: BatchLimits()), congested: false))

    var isCongested: Bool { state.withLockedValue { $0.congested } }

    /// Bytes of what has not been taken.
    var bytes: Int { state.withLockedValue { $0.batches.bytes } }

    func setCongested(_ congested: Bool) { state.withLockedValue { $0.congested = congested } }

    func forward(_ produce: (inout FormingBatches) -> Void) { state.withLockedValue { produce(&$0.batches) } }

    /// All that came since the last time.
    func takeEnvelopes() throws -> [Envelope] {
        let bodies = state.withLockedValue { state in
            var bodies: [[UInt8]] = []
            for pool in state.batches.queues.indices {
                while let batch = state.batches.next(pool) { bodies.append(batch.bytes) }
            }
            return bodies
        }
        return try bodies.flatMap { try NDJSON.lines($0).map { try Envelope(line: $0) } }
    }
}
