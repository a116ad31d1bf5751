package import SparqWire

/// What waits to be published, for all pools.
package struct FormingBatches: Sendable {
    private let pools: PoolMap
    package private(set) var queues: [BatchQueue]

    package init(pools: PoolMap, limits: BatchLimits) {
        self.pools = pools
        queues = pools.pools.map { _ in BatchQueue(limits: limits) }
    }

    /// Adds an envelope to the batch of its type's pool.
    package mutating func add(_ envelope: Envelope, member: Batch.Member?) {
        queues[pools.index(for: envelope.type)].append(envelope, member: member)
    }

    /// Takes the oldest batch of a pool, by the pool's place in ``SparqWire/PoolMap/pools``.
    package mutating func next(_ pool: Int) -> Batch? { queues[pool].next() }
}
