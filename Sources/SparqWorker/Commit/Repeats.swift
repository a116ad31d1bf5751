import SparqPostgres
import SparqStore
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
            let row = try InboxStore.RepeatedEvent(row)
            let first = Known(reply: row.reply, mismatch: row.isMismatch, changes: row.changes.map(Changes.init(text:)) ?? Changes())
            known[row.message - 1, default: first].add(row)
        }
    }

    /// Asks for the messages with these keys.
    static func statement(_ keys: [MessageKey]) -> Statement {
        InboxStore.repeats(users: keys.map(\.user), ids: keys.map(\.id), fingerprints: keys.map(\.fingerprint))
    }
}

extension Repeats.Known {
    fileprivate mutating func add(_ row: InboxStore.RepeatedEvent) {
        guard let topic = row.topic, let seq = row.seq, let time = row.time, let type = row.type, let data = row.data else { return }
        let at = EventBody.timestamp(milliseconds: time)
        events.append(Event(topic: topic, seq: seq, body: EventBody.logged(type: type, topic: topic, seq: seq, at: at, data: data[...])))
    }

    /// The message as it is to be delivered, once policies have allowed what is doubtful of it.
    ///
    /// - Parameter handled: What its handler wants by now.
    func outcome(insteadOf handled: HandledMessage) -> MessageOutcome {
        // A connection that began as it should.
        if case .seal? = handled.entry { return .committed(CommittedMessage(handled.rest.envelope)) }
        var again = rest(of: handled.rest.envelope)
        if mismatch { return .committed(CommittedMessage(again, events: events)) }
        for case .beginSession(let user) in handled.changes where changes.list.contains(.beginSession(user: user)) {
            again.make(.beginSession(user: user))
        }
        return checked(again, allowed: handled.rest.subscriptions.map(\.topic))
    }

    /// The same, where its handler has not run again.
    func outcome(of envelope: Envelope) -> MessageOutcome {
        mismatch ? .committed(message(of: envelope)) : checked(rest(of: envelope), allowed: [])
    }

    /// Time has passed since the handler allowed its topics. What it has just allowed anew needs nobody's word.
    private func checked(_ again: MessageRest, allowed: [String]) -> MessageOutcome {
        let doubtful = Set(again.subscriptions.map(\.topic)).subtracting(allowed)
        let message = CommittedMessage(again, events: events)
        return doubtful.isEmpty ? .committed(message) : .repeated(RepeatedMessage(message: message, doubtful: doubtful))
    }

    /// Reply, durable events and lasting changes come again; the first time did the rest. Another message under the same id changes nothing.
    ///
    /// The subscriptions are those that the handler allowed then.
    func message(of envelope: Envelope) -> CommittedMessage { CommittedMessage(rest(of: envelope), events: events) }

    private func rest(of envelope: Envelope) -> MessageRest {
        var again = MessageRest(envelope)
        again.reply = reply.map { reply in
            // What was noted before there were limits, or in what a front cannot read, must not keep its sender waiting.
            let isReadable = reply.count <= DataLimits.sum && (try? JSONDepth.check(reply[...], limit: JSONDepth.data + 1)) != nil
            return ReplyBody.repeated(isReadable ? reply[...] : ReplyBody.success(id: envelope.id, data: nil), mismatch: mismatch)
        }
        if !mismatch { for change in changes.again(for: envelope) { again.make(change) } }
        again.isOffer = (try? envelope.isResuming) ?? false
        return again
    }
}
