import DequeModule
package import SparqWire

/// Bounds of one batch. It may go beyond them by what one connection has on its way.
package struct BatchLimits: Sendable, Equatable {
    package var messages: Int
    package var bytes: Int

    package init(messages: Int = 256, bytes: Int = 256 * 1024) {
        self.messages = messages
        self.bytes = bytes
    }
}

/// The envelopes of one lane that wait to be published, as batches that grow while the broker is busy.
package struct LaneBatches: Sendable {
    private let limits: BatchLimits
    private var full: Deque<Batch> = []
    private var forming: Batch?
    /// Bytes of all that waits.
    package private(set) var bytes = 0

    package init(limits: BatchLimits) { self.limits = limits }

    /// Nothing waits.
    package var isEmpty: Bool { forming == nil && full.isEmpty }

    /// Adds an envelope to the batch that is forming, or begins the next one.
    package mutating func append(_ envelope: Envelope, member: Batch.Member?) {
        // What the envelope adds to the message is small beside it; the bound need not be exact.
        let size = envelope.message.count + 256
        if forming.map({ isFull($0, size) && !$0.ends(with: member) }) ?? false, let batch = forming.take() { full.append(batch) }
        if forming == nil { forming = Batch(reservingCapacity: max(size, 1024)) }
        let before = forming?.bytes.count ?? 0
        forming?.append(envelope, member)
        bytes += (forming?.bytes.count ?? 0) - before
    }

    private func isFull(_ batch: Batch, _ size: Int) -> Bool {
        batch.count >= limits.messages || batch.bytes.count + size > limits.bytes
    }

    /// Takes the oldest batch, even one that is still small.
    package mutating func next() -> Batch? {
        guard let batch = full.popFirst() ?? forming.take() else { return nil }
        bytes -= batch.bytes.count
        return batch
    }
}

/// What waits to be published, for all lanes.
package struct FormingBatches: Sendable {
    private let lanes: LaneMap
    package private(set) var queues: [LaneBatches]

    package init(lanes: LaneMap, limits: BatchLimits) {
        self.lanes = lanes
        queues = lanes.names.map { _ in LaneBatches(limits: limits) }
    }

    /// Adds an envelope to the batch of its type's lane.
    package mutating func add(_ envelope: Envelope, member: Batch.Member?) {
        queues[lanes.index(for: envelope.type)].append(envelope, member: member)
    }

    /// Takes the oldest batch of a lane, by the lane's place in ``SparqWire/LaneMap/names``.
    package mutating func next(_ lane: Int) -> Batch? { queues[lane].next() }
}
