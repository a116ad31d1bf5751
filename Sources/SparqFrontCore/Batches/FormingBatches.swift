package import SparqWire

/// What waits to be published, for all lanes.
package struct FormingBatches: Sendable {
    private let lanes: LaneMap
    package private(set) var queues: [BatchQueue]

    package init(lanes: LaneMap, limits: BatchLimits) {
        self.lanes = lanes
        queues = lanes.names.map { _ in BatchQueue(limits: limits) }
    }

    /// Adds an envelope to the batch of its type's lane.
    package mutating func add(_ envelope: Envelope, member: Batch.Member?) {
        queues[lanes.index(for: envelope.type)].append(envelope, member: member)
    }

    /// Takes the oldest batch of a lane, by the lane's place in ``SparqWire/LaneMap/names``.
    package mutating func next(_ lane: Int) -> Batch? { queues[lane].next() }
}
