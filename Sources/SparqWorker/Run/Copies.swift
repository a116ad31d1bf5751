import SparqWire
import Synchronization

/// Which messages are at work here, so that a copy that its client sent again does not run beside them, nor takes a slot for as long.
///
/// Only messages with an `id` and a user have copies. It costs nothing where no handler has to wait for anything.
final class Copies: Sendable {
    enum Standing: Equatable {
        /// It begins.
        case free
        /// Another copy is at work, or waits for its slot.
        case running
        /// Another copy's handler did not end in its time, and has not ended yet.
        case stray
        /// Another copy waits for an operator.
        case waiting
    }

    /// By what copies of a message know each other: without its content.
    private struct Key: Hashable {
        let user: String
        let id: String

        init?(_ envelope: Envelope) {
            guard let user = envelope.user, let id = envelope.id else { return nil }
            self.user = user
            self.id = id
        }
    }

    private struct State {
        var running: [Key: ConnectionRun] = [:]
        var strays: [Key: Int] = [:]
        var waiting: [Key: ContinuousClock.Instant] = [:]

        var count: Int { running.count + strays.count + waiting.count }
    }

    /// The most copies that wait and are remembered: beyond that they are let through.
    private static let limit = 16_384

    private let state = Mutex(State())
    private let count = Atomic(0)

    /// Nothing is at work that has to wait for anything.
    var isQuiet: Bool { count.load(ordering: .relaxed) == 0 }

    /// Begins a message, if none of its copies stands against it. Needs an ``end(_:in:)`` then.
    ///
    /// - Parameter isFirst: It was never tried before.
    func begin(_ envelope: Envelope, in run: ConnectionRun, isFirst: Bool, now: ContinuousClock.Instant = .now) -> Standing {
        guard let key = Key(envelope) else { return .free }
        return change { state in
            guard Self.claim(&state.running[key, default: run], for: run) else { return .running }
            guard let standing = Self.standing(of: key, isFirst: isFirst, now, state) else { return .free }
            state.running[key] = nil
            return standing
        }
    }

    /// A message is at work already, and takes longer than no time. Needs an ``end(_:in:)``.
    func add(_ envelope: Envelope, in run: ConnectionRun) {
        guard let key = Key(envelope) else { return }
        change { state in _ = Self.claim(&state.running[key, default: run], for: run) }
    }

    /// A message is no longer at work there.
    func end(_ envelope: Envelope, in run: ConnectionRun) {
        guard let key = Key(envelope) else { return }
        change { state in
            guard let place = state.running.index(forKey: key), state.running.values[place] === run else { return }
            state.running.remove(at: place)
        }
    }

    func strayed(_ envelope: Envelope) { changeStrays(envelope, by: 1) }
    func returned(_ envelope: Envelope) { changeStrays(envelope, by: -1) }

    /// It is tried again, by then at the latest.
    func waits(_ envelope: Envelope, until end: ContinuousClock.Instant) {
        guard let key = Key(envelope) else { return }
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
            if !state.waiting.isEmpty { state.waiting = state.waiting.filter { $0.value > now } }
        }
    }

    private func changeStrays(_ envelope: Envelope, by difference: Int) {
        guard let key = Key(envelope) else { return }
        change { state in
            let number = state.strays[key, default: 0] + difference
            state.strays[key] = number > 0 ? number : nil
        }
    }

    private func change<Value: Sendable>(_ body: (inout State) -> Value) -> Value {
        state.withLock { state in
            defer { count.store(state.count, ordering: .relaxed) }
            return body(&state)
        }
    }

    /// False where another copy is at work. What the broker delivers anew is nobody's copy any more.
    private static func claim(_ place: inout ConnectionRun, for run: ConnectionRun) -> Bool {
        if place === run { return true }
        guard place.batch.isLost else { return false }
        place = run
        return true
    }

    /// What stands against a message of which no copy is at work.
    private static func standing(of key: Key, isFirst: Bool, _ now: ContinuousClock.Instant, _ state: State) -> Standing? {
        if state.strays[key] != nil { return .stray }
        if isFirst, let until = state.waiting[key], until > now { return .waiting }
        return nil
    }
}
