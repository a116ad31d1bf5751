import Postgres
import SparqProtocol
import Synchronization

/// Lets a few transactions of handlers run at once, so that reads find a connection beside them, and a few more wait. What waits holds slots of the
/// worker; so beyond that messages are refused, and their clients send them again.
final class TransactionGate: Sendable {
    private struct State {
        var messages = 0
        var batches: [ObjectIdentifier: Int] = [:]
    }

    /// The most messages that wait.
    private static let messageLimit = 512

    private let permits: Permits
    private let batchLimit: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - running: How many run at once.
    ///   - batches: Of how many AMQP messages some may wait.
    init(running: Int, batches: Int) {
        permits = Permits(running)
        batchLimit = max(1, batches)
    }

    /// Waits for its turn.
    ///
    /// - Throws: A ``Refusal`` at once, where too many wait; `CancellationError`.
    func enter(_ batch: InboundBatch) async throws -> Permit {
        if let permit = permits.takeNow() { return permit }
        let id = ObjectIdentifier(batch)
        let mayWait = state.withLock { state in
            guard state.messages < Self.messageLimit, state.batches[id] != nil || state.batches.count < batchLimit else { return false }
            state.messages += 1
            state.batches[id, default: 0] += 1
            return true
        }
        guard mayWait else { throw Refusal(.unavailable, "Too many messages of this kind wait. Send it again in a moment.") }
        defer {
            state.withLock { state in
                state.messages -= 1
                let left = state.batches[id, default: 1] - 1
                state.batches[id] = left > 0 ? left : nil
            }
        }
        return try await permits.take()
    }
}
