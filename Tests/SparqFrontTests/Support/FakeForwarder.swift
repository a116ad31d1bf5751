import NIOConcurrencyHelpers
import SparqWire

@testable import SparqFront
@testable import SparqFrontCore

/// Keeps what would go to the workers.
final class FakeForwarder: Forwarding {
    private let lanes: LaneMap
    private let state: NIOLockedValueBox<(batches: FormingBatches, crowded: Set<Int>)>

    init(lanes: LaneMap = LaneMap()) {
        self.lanes = lanes
        state = NIOLockedValueBox((FormingBatches(lanes: lanes, limits: BatchLimits()), []))
    }

    var crowded: Set<Int> { state.withLockedValue { $0.crowded } }
    func isCrowded(_ type: String) -> Bool { crowded.contains(lanes.index(for: type)) }

    /// Bytes of what has not been taken.
    var bytes: Int { state.withLockedValue { $0.batches.queues.reduce(0) { $0 + $1.bytes } } }

    /// Of all lanes too much waits, or of none.
    func setCongested(_ congested: Bool) { setCrowded(congested ? Set(lanes.names.indices) : []) }

    func setCrowded(_ lanes: Set<Int>) { state.withLockedValue { $0.crowded = lanes } }

    func forward(_ produce: (inout FormingBatches) -> Void) { state.withLockedValue { produce(&$0.batches) } }

    /// All that came since the last time.
    func takeEnvelopes() throws -> [Envelope] {
        let bodies = state.withLockedValue { state in
            var bodies: [[UInt8]] = []
            for lane in state.batches.queues.indices {
                while let batch = state.batches.next(lane) { bodies.append(batch.bytes) }
            }
            return bodies
        }
        return try bodies.flatMap { try NDJSON.lines($0).map { try Envelope(line: $0) } }
    }
}
