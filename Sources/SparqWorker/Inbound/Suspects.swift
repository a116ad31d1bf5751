import AMQP
import Synchronization

/// AMQP messages that workers may have died over, until one after the other is worked on.
final class Suspects: Sendable {
    private let waiting = Mutex<[AMQP.Delivery]>([])
    private let signal: AsyncStream<Void>.Continuation
    /// An element when there is something to take; ends with ``close()``. For one reader.
    let signals: AsyncStream<Void>

    init() { (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    func add(_ delivery: AMQP.Delivery) {
        waiting.withLock { $0.append(delivery) }
        signal.yield()
    }

    /// Nothing is added any more.
    func close() { signal.finish() }

    /// Any of them: if they had an order, the same ones would stand behind the one that kills, in each life of a worker.
    func take() -> AMQP.Delivery? {
        waiting.withLock { waiting in waiting.indices.randomElement().map { waiting.remove(at: $0) } }
    }
}
