import FaultLog
import Logging
import SparqWire
import Synchronization

/// What time it is at each node, by the node's own clock, as of what it said last. So what its clients have given up waiting for is told without
/// comparing two machines' clocks.
///
/// It lags behind by as long as the node's last lease was on its way, and by the leases that other workers heard: then less counts as given up.
final class NodeTimes: Sendable {
    /// Nodes that are remembered. All are forgotten beyond that, and come again with their next lease.
    private static let limit = 4096

    private let patience: Int64
    private let passed: FaultLog
    private let times = Mutex<[String: Int]>([:])

    /// - Parameter patience: Longer than a client waits, by far.
    init(patience: Duration, logger: Logger) {
        self.patience = patience.milliseconds
        passed = FaultLog(logger)
    }

    /// A node says that it lives. The last word counts, not the highest: a clock may be set back.
    func note(_ envelope: Envelope) {
        guard envelope.type == SystemType.lease else { return }
        times.withLock { times in
            if times.count >= Self.limit, times[envelope.node] == nil { times.removeAll() }
            times[envelope.node] = envelope.receivedAt
        }
    }

    /// Whether nobody waits for the message any more, and nobody is wronged where it has no effect.
    ///
    /// - `$connect`: its socket is closed. Its `$disconnect` comes, and ends what it did not begin.
    /// - `subscribe`, `unsubscribe`: its client was told `unavailable`, or is gone; they change nothing but what its socket hears.
    ///
    /// All else that was accepted takes effect, however late. `$disconnect` above all.
    func isGivenUp(_ envelope: Envelope) -> Bool {
        guard envelope.type == SystemType.connect || SubscribeMessage.namesTopics(envelope.type) else { return false }
        guard let now = times.withLock({ $0[envelope.node] }) else { return false }
        guard now - envelope.receivedAt > patience else { return false }
        passed.occurred(level: .info, "messages are passed over that nobody waits for any more", metadata: ["type": "\(envelope.type)"])
        return true
    }
}
