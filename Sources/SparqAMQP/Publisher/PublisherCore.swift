internal import Synchronization

/// What the callers of ``Publisher/publish(_:exchange:routingKey:mandatory:timeout:)`` and the connection's thread share. Continuations are resumed
/// outside of the lock.
final class PublisherCore: Sendable {
    typealias Continuation = CheckedContinuation<Result<PublishOutcome, AMQPError>, Never>

    struct Pending: Sendable {
        let publication: Publication
        let continuation: Continuation
    }

    /// What the broker said about publishes, in its order.
    enum Verdict: Sendable {
        case confirmed(tag: UInt64, multiple: Bool)
        case refused(tag: UInt64, multiple: Bool)
        case returned(id: UInt64, replyCode: UInt16, text: String)
    }

    private struct State {
        var window: ConfirmWindow<Pending>
        var isAccepting = true
        var timed = 0
    }

    private let state: Mutex<State>

    init(window: Int) {
        state = Mutex(State(window: ConfirmWindow(limit: window)))
    }

    func submit(_ publication: Publication, _ continuation: Continuation) -> Bool {
        state.withLock { state in
            guard state.isAccepting else { return false }
            let id = state.window.submit(Pending(publication: publication, continuation: continuation))
            publication.id.store(id, ordering: .releasing)
            if publication.deadline != nil { state.timed += 1 }
            return true
        }
    }

    /// The caller's task was cancelled.
    func cancel(_ publication: Publication) {
        let id = publication.id.load(ordering: .acquiring)
        // Not there yet: the caller looks for cancellation once it is.
        guard id > 0 else { return }
        let entry = state.withLock { $0.window.abandon(id: id) }
        entry?.payload.continuation.resume(returning: .failure(Self.error(.cancelled, "the waiting task was cancelled")))
    }

    /// Lets go those who have waited long enough.
    func expire(_ now: ContinuousClock.Instant) {
        let entries = state.withLock { state in
            guard state.timed > 0 else { return [ConfirmWindow<Pending>.Entry]() }
            if state.window.isEmpty { state.timed = 0 }
            return state.window.abandonAll { $0.publication.deadline.map { $0 <= now } ?? false }
        }
        for entry in entries {
            entry.payload.continuation.resume(returning: .failure(Self.error(.timeout, "not confirmed in time")))
        }
    }

    /// Fills `chunk` with what may be written now: at most 64 messages, and not much more than 64 KiB.
    func take(into chunk: inout [Publication]) {
        state.withLock { state in
            var bytes = 0
            while chunk.count < 64, bytes < 65536, let entry = state.window.next() {
                bytes += entry.payload.publication.message.body.count
                chunk.append(entry.payload.publication)
            }
        }
    }

    func settle(_ verdicts: [Verdict]) {
        let (confirmed, refused) = state.withLock { state in
            var confirmed: [ConfirmWindow<Pending>.Entry] = []
            var refused: [ConfirmWindow<Pending>.Entry] = []
            for verdict in verdicts {
                switch verdict {
                case .confirmed(let tag, let multiple): state.window.settle(tag: tag, multiple: multiple, into: &confirmed)
                case .refused(let tag, let multiple): state.window.settle(tag: tag, multiple: multiple, into: &refused)
                case .returned(let id, let replyCode, let text):
                    state.window.returned(id: id, .returned(replyCode: replyCode, text: text))
                }
            }
            return (confirmed, refused)
        }
        for entry in confirmed { entry.payload.continuation.resume(returning: .success(entry.outcome)) }
        for entry in refused {
            entry.payload.continuation.resume(returning: .failure(Self.error(.nacked, "the broker did not take the message")))
        }
    }

    /// The connection, or the channel for a reason that lies in no message, is gone.
    func lost() {
        state.withLock { $0.window.lost() }
    }

    /// The broker closed the channel or the connection because of a message.
    /// - Parameter exchanges: those that have been declared again since.
    func refused(_ error: AMQPError, declared exchanges: Set<String> = []) {
        let culprit = state.withLock { $0.window.refused { exchanges.contains($0.publication.exchange) } }
        culprit?.payload.continuation.resume(returning: .failure(error))
    }

    /// librabbitmq could not encode this one; it will never be able to.
    func fail(_ publication: Publication, _ error: AMQPError) {
        let entry = state.withLock { $0.window.abandon(id: publication.id.load(ordering: .acquiring)) }
        entry?.payload.continuation.resume(returning: .failure(error))
    }

    func stopAccepting() {
        state.withLock { $0.isAccepting = false }
    }

    var isEmpty: Bool { state.withLock { $0.window.isEmpty } }

    func end() {
        let entries = state.withLock { state in
            state.isAccepting = false
            return state.window.removeAll()
        }
        for entry in entries { entry.payload.continuation.resume(returning: .failure(Self.closed)) }
    }

    static let closed = error(.closed, "the publisher has ended")

    private static func error(_ code: AMQPError.Code, _ message: String) -> AMQPError {
        AMQPError(code, message, operation: "basic.publish")
    }
}

/// A message on its way through a ``Publisher``.
final class Publication: Sendable {
    let message: AMQPMessage
    let exchange: String
    let routingKey: String
    let mandatory: Bool
    /// When the caller stops waiting.
    let deadline: ContinuousClock.Instant?
    /// Its number in the window; 0 until it is there.
    let id = Atomic<UInt64>(0)

    init(_ message: AMQPMessage, exchange: String, routingKey: String, mandatory: Bool, deadline: ContinuousClock.Instant?) {
        self.message = message
        self.exchange = exchange
        self.routingKey = routingKey
        self.mandatory = mandatory
        self.deadline = deadline
    }
}
