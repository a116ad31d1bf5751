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
    /// - Parameter unit: What its handler wants by now, where it has run again.
    func unit(insteadOf unit: Unit) -> Unit {
        // A connection that began as it should.
        if unit.isSeal { return Unit(envelope: unit.envelope) }
        var again = self.unit(of: unit.envelope)
        if mismatch { return again }
        // Time has passed since the handler allowed them. What it has just allowed anew needs nobody's word.
        again.doubtful = Set(again.subscriptions.map(\.topic)).subtracting(unit.subscriptions.map(\.topic))
        for case .beginSession(let user) in unit.changes where changes.list.contains(.beginSession(user: user)) {
            again.make(.beginSession(user: user))
        }
        return again
    }

    /// Reply, durable events and lasting changes come again; the first time did the rest. Another message under the same id changes nothing.
    ///
    /// The subscriptions are those that the handler allowed then.
    func unit(of envelope: Envelope) -> Unit {
        var unit = Unit(envelope: envelope)
        unit.reply = reply.map { reply in
            // What was noted before there were limits, or in what a front cannot read, must not keep its sender waiting.
            let isReadable = reply.count <= DataLimits.sum && (try? JSONDepth.check(reply[...], limit: JSONDepth.data + 1)) != nil
            return ReplyBody.repeated(isReadable ? reply[...] : ReplyBody.success(id: envelope.id, data: nil), mismatch: mismatch)
        }
        unit.events = events
        if !mismatch { for change in changes.again(for: envelope) { unit.make(change) } }
        unit.isOffer = (try? envelope.isResuming) ?? false
        return unit
    }
}
