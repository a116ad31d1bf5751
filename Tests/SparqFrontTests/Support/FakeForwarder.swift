import NIOConcurrencyHelpers
import SparqWire

@testable import SparqFront
@testable import SparqFrontCore

/// Keeps what would go to the workers.
final class FakeForwarder: Forwarding {
    private let pools: PoolMap
    private let state: NIOLockedValueBox<(batches: FormingBatches, crowded: Set<Int>)>

    init(pools: PoolMap = PoolMap()) {
        self.pools = pools
        state = NIOLockedValueBox((FormingBatches(pools: pools, limits: BatchLimits()), []))
    }

    var crowded: Set<Int> { state.withLockedValue { $0.crowded } }
    func isCrowded(_ type: String) -> Bool { crowded.contains(pools.index(for: type)) }

    /// Bytes of what has not been taken.
    var bytes: Int { state.withLockedValue { $0.batches.queues.reduce(0) { $0 + $1.bytes } } }

    /// Of all lanes too much waits, or of none.
    func setCongested(_ congested: Bool) { setCrowded(congested ? Set(pools.pools.indices) : []) }

    func setCrowded(_ lanes: Set<Int>) { state.withLockedValue { $0.crowded = lanes } }

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
