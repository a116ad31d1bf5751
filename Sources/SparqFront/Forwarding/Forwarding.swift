/// Where shards and the node put what is for the workers.
protocol Forwarding: Sendable {
    /// So much waits already that clients should not be read.
    var isCongested: Bool { get }
    /// Calls `produce` once, on the caller's thread, and sends what it adds. `produce` must be short: other threads wait for it.
    func forward(_ produce: (inout FormingBatches) -> Void)
}
