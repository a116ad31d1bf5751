import SparqPostgres
import SparqWire

/// What messages brought that took effect before. A value without I/O.
struct Repeats: Equatable, Sendable {
    struct Known: Equatable, Sendable {
        var reply: [UInt8]?
        /// The first message under this id was another one.
        var mismatch: Bool
        var changes = Changes()
        var events: [Event] = []
    }

    /// By the message's place among those asked for, from 0.
    var known: [Int: Known] = [:]

    init() {}

    init(_ rows: PostgresResult) throws(PostgresError) {
        for row in rows {
            let (message, reply, mismatch, changes, topic, seq, time, type, data) = try row.decode(
                Int.self,
                [UInt8]?.self,
                Bool.self,
                String?.self,
                String?.self,
                Int?.self,
                Int?.self,
                String?.self,
                [UInt8]?.self
            )
            let first = Known(reply: reply, mismatch: mismatch, changes: changes.map(Changes.init(text:)) ?? Changes())
            known[message - 1, default: first].add(topic, seq, time, type, data)
        }
    }

    /// Asks for the messages with these keys.
    static func statement(_ keys: [MessageKey]) -> Statement {
        Statement(
            "SELECT message, reply, mismatch, changes, topic, seq, at_ms, type, data FROM sparq_repeats($1, $2, $3)",
            keys.map(\.user),
            keys.map(\.id),
            keys.map(\.fingerprint)
        )
    }
}

extension Repeats.Known {
    fileprivate mutating func add(_ topic: String?, _ seq: Int?, _ time: Int?, _ type: String?, _ data: [UInt8]?) {
        guard let topic, let seq, let time, let type, let data else { return }
        let at = EventBody.timestamp(milliseconds: time)
        events.append(Event(topic: topic, seq: seq, body: EventBody.logged(type: type, topic: topic, seq: seq, at: at, data: data[...])))
    }

    /// The message as it is to be delivered, once policies have allowed what is doubtful of it.
    ///
    /// - Parameter handled: What its handler wants by now.
    func outcome(insteadOf handled: HandledMessage) -> MessageOutcome {
        // A connection that began as it should.
        if case .seal? = handled.entry { return .committed(CommittedMessage(handled.rest.envelope)) }
        var again = message(of: handled.rest.envelope)
        if mismatch { return .committed(again) }
        for case .beginSession(let user) in handled.changes where changes.list.contains(.beginSession(user: user)) {
            again.make(.beginSession(user: user))
        }
        return Self.checked(again, allowed: handled.rest.subscriptions.map(\.topic))
    }

    /// The same, where its handler has not run again.
    func outcome(of envelope: Envelope) -> MessageOutcome {
        let again = message(of: envelope)
        return mismatch ? .committed(again) : Self.checked(again, allowed: [])
    }

    /// Time has passed since the handler allowed its topics. What it has just allowed anew needs nobody's word.
    private static func checked(_ again: CommittedMessage, allowed: [String]) -> MessageOutcome {
        let doubtful = Set(again.subscriptions.map(\.topic)).subtracting(allowed)
        return doubtful.isEmpty ? .committed(again) : .repeated(RepeatedMessage(rest: again, doubtful: doubtful))
    }

    /// Reply, durable events and lasting changes come again; the first time did the rest. Another message under the same id changes nothing.
    ///
    /// The subscriptions are those that the handler allowed then.
    func message(of envelope: Envelope) -> CommittedMessage {
        var again = CommittedMessage(envelope)
        again.reply = reply.map { reply in
            // What was noted before there were limits, or in what a front cannot read, must not keep its sender waiting.
            let isReadable = reply.count <= DataLimits.sum && (try? JSONDepth.check(reply[...], limit: JSONDepth.data + 1)) != nil
            return Reply.repeated(isReadable ? reply[...] : Reply.success(id: envelope.id, data: nil), mismatch: mismatch)
        }
        again.events = events
        if !mismatch { for change in changes.again(for: envelope) { again.make(change) } }
        again.isOffer = (try? envelope.isResuming) ?? false
        return again
    }
}
