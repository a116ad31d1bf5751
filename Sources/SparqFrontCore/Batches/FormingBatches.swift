import SparqWire

/// What waits to be published, for all pools.
struct FormingBatches: Sendable {
    private let pools: PoolMap
    private(set) var queues: [BatchQueue]

    init(pools: PoolMap, limits: BatchLimits) {
        self.pools = pools
        queues = pools.pools.map { _ in BatchQueue(limits: limits) }
    }

    /// Adds an envelope to the batch of its type's pool.
    mutating func add(_ envelope: Envelope, member: Batch.Member?) {
        queues[pools.index(for: envelope.type)].append(envelope, member: member)
    }

    /// Takes the oldest batch of a pool, by the pool's place in ``SparqWire/PoolMap/pools``.
    mutating func next(_ pool: Int) -> Batch? { queues[pool].next() }
}
