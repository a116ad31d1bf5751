import FaultLog
import Logging
import SparqWire

/// Whether a message may begin.
extension Processor {
    static let crowded = Refusal(.unavailable, "Too many messages of this type wait, or take long. Send it again later.")

    /// A message for which there is no room. Whoever waits for its answer sends it again; what nobody would send again waits elsewhere.
    func turnAway(_ envelope: Envelope, _ run: ConnectionRun) async throws -> SettledMessage {
        turnedAway.occurred(
            envelope.type,
            "messages of a type are slow and many, further ones are refused, or tried again later",
            metadata: ["type": "\(envelope.type)"]
        )
        if run.batch.isAwaited, !envelope.type.hasPrefix("$") { return .refused(envelope, Self.crowded) }
        return try await failed.message(envelope, attempt: run.batch.attempt, after: NotItsTurn(reason: "too many of its type"))
    }

    /// Waits until a message may begin: then it holds a slot, and is known to its copies. Otherwise what it comes to.
    func enter(_ envelope: Envelope, _ run: ConnectionRun, _ owner: Int) async throws -> SettledMessage? {
        if let refused = try await standAside(envelope, run) { return refused }
        if !run.isApart, !(await watch.admission.enter(envelope.type, run.batch)) {
            watch.copies.end(envelope, in: run)
            // The broker delivers it again.
            if run.batch.isLost { throw CancellationError() }
            try Task.checkCancellation()
            return try await turnAway(envelope, run)
        }
        do { try run.entered(envelope.type, owner) } catch {
            watch.left(envelope, run)
            throw error
        }
        return nil
    }

    /// A message that must not begin now, because a copy of it is at work. `nil` where it begins.
    private func standAside(_ envelope: Envelope, _ run: ConnectionRun) async throws -> SettledMessage? {
        let isFirst = run.batch.attempt == 1
        var pause: Duration = .milliseconds(1)
        while true {
            switch watch.copies.begin(envelope, in: run, isFirst: isFirst) {
            case .free: return nil
            case .stray: throw TransientFailure("an earlier run of its handler has not ended")
            // A second, all in all.
            case .running where pause < .seconds(1):
                try await Task.sleep(for: pause)
                pause *= 2
            case .running, .waiting:
                return .refused(envelope, Refusal(.unavailable, "The same message came before, and is not finished yet."))
            }
        }
    }
}
