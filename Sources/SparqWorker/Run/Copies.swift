import SparqWire
import Synchronization

/// Which messages are at work here, so that a copy that its client sent again does not run beside them, nor takes a slot for as long.
///
/// Only messages with an `id` and a user have copies. It costs nothing where no handler has to wait for anything.
final class Copies: Sendable {
    enum Standing: Equatable {
        case free
        /// Another copy's handler is at work.
        case running
        /// Another copy's handler did not end in its time, and has not ended yet.
        case stray
        /// Another copy waits for an operator.
        case waiting
    }

    private struct State {
        var running: [MessageKey: ConnectionRun] = [:]
        var strays: [MessageKey: Int] = [:]
        var waiting: [MessageKey: ContinuousClock.Instant] = [:]

        var count: Int { running.count + strays.count + waiting.count }
    }

    /// The most copies that wait and are remembered: beyond that they are let through.
    private static let limit = 16_384

    private let state = Mutex(State())
    private let count = Atomic(0)

    /// Nothing is at work that has to wait for anything.
    var isQuiet: Bool { count.load(ordering: .relaxed) == 0 }

    /// - Parameter isFirst: It was never tried before.
    func standing(of envelope: Envelope, in run: ConnectionRun, isFirst: Bool, now: ContinuousClock.Instant = .now) -> Standing {
        guard !isQuiet, let key = MessageKey(recognising: envelope) else { return .free }
        return state.withLock { state in
            if let other = state.running[key], other !== run, Self.isAtWork(other, key) { return .running }
            if state.strays[key] != nil { return .stray }
            if isFirst, let until = state.waiting[key], until > now { return .waiting }
            return .free
        }
    }

    /// Its message is at work, and takes longer than no time.
    func runs(_ run: ConnectionRun) {
        guard let key = run.current.flatMap(MessageKey.init(recognising:)) else { return }
        change { state in
            if let other = state.running[key], Self.isAtWork(other, key) { return }
            state.running[key] = run
        }
    }

    func strayed(_ envelope: Envelope) { changeStrays(envelope, by: 1) }
    func returned(_ envelope: Envelope) { changeStrays(envelope, by: -1) }

    /// It is tried again, by then at the latest.
    func waits(_ envelope: Envelope, until end: ContinuousClock.Instant) {
        guard let key = MessageKey(recognising: envelope) else { return }
        change { state in
            if state.waiting.count >= Self.limit, state.waiting[key] == nil { return }
            state.waiting[key] = end
        }
    }

    /// What waited for an operator waits no more.
    func letThrough() { change { $0.waiting = [:] } }

    /// Forgets what is over.
    func tidy(now: ContinuousClock.Instant) {
        if isQuiet { return }
        change { state in
            state.running = state.running.filter { Self.isAtWork($0.value, $0.key) }
            state.waiting = state.waiting.filter { $0.value > now }
        }
    }

    private func changeStrays(_ envelope: Envelope, by difference: Int) {
        guard let key = MessageKey(recognising: envelope) else { return }
        change { state in
            let number = state.strays[key, default: 0] + difference
            state.strays[key] = number > 0 ? number : nil
        }
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            count.store(state.count, ordering: .relaxed)
        }
    }

    /// What the broker delivers anew is nobody's copy any more.
    private static func isAtWork(_ run: ConnectionRun, _ key: MessageKey) -> Bool {
        !run.batch.isLost && run.current.flatMap(MessageKey.init(recognising:)) == key
    }
}

extension MessageKey {
    /// By what copies of a message know each other: without its content.
    fileprivate init?(recognising envelope: Envelope) {
        guard let user = envelope.user, let id = envelope.id else { return nil }
        self.init(user: user, id: id)
    }
}
