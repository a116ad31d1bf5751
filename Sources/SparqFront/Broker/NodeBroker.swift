/// What a front needs of its broker; tests give it another one.
protocol NodeBroker: Sendable {
    /// Takes batches for the workers.
    var inbound: any BatchPublisher { get }
    /// Keeps the connections until the task is cancelled. A graceful shutdown does not reach them.
    func run() async throws
    /// Hands what comes over the node's queue to the node, until no more will come or the task is cancelled.
    func deliver(to core: NodeCore) async
}
