import SparqFrontCore

/// Where shards and the node put what is for the workers.
protocol Forwarding: Sendable {
    /// The lanes of which so much waits already that nothing more should come.
    var crowded: Set<Int> { get }
    /// Whether that is so for the lane of a type.
    func isCrowded(_ type: String) -> Bool
    /// Calls `produce` once, on the caller's thread, and sends what it adds. `produce` must be short: other threads wait for it.
    func forward(_ produce: (inout FormingBatches) -> Void)
}
