import Postgres
import SparqProtocol

/// What `sparq_commit` answered. A value without I/O.
struct CommitOutcome: Equatable, Sendable {
    /// A message that had taken effect before.
    struct Repeat: Equatable, Sendable {
        var reply: [UInt8]?
        var mismatch: Bool
        var events: [Event] = []
    }

    /// The numbers of the new events, by the event's number in the plan, from 1.
    var seqs: [Int: Int] = [:]
    /// When they were appended: milliseconds since the Unix epoch.
    var time = 0
    /// By the number of the unit, from 1.
    var repeats: [Int: Repeat] = [:]

    init() {}

    init(_ rows: PostgresResult) throws(PostgresError) {
        for row in rows {
            let (kind, unit, ordinals, seqs, time, topic, seq, type, data, reply, mismatch) = try row.decode(
                String.self,
                Int?.self,
                [Int]?.self,
                [Int]?.self,
                Int?.self,
                String?.self,
                Int?.self,
                String?.self,
                [UInt8]?.self,
                [UInt8]?.self,
                Bool?.self
            )
            switch (kind, unit) {
            case ("new", _):
                self.time = time ?? 0
                for (ordinal, seq) in zip(ordinals ?? [], seqs ?? []) { self.seqs[ordinal] = seq }
            case ("repeat", let unit?): repeats[unit] = Repeat(reply: reply, mismatch: mismatch ?? false)
            case ("event", let unit?):
                guard let topic, let seq, let type, let data, let time else { continue }
                let at = EventBody.timestamp(milliseconds: time)
                let body = EventBody.durable(type: type, topic: topic, seq: seq, at: at, data: data[...])
                repeats[unit]?.events.append(Event(topic: topic, seq: seq, body: body))
            default: break
            }
        }
    }

    /// Makes units of what a plan was made of: their events numbered, or, for repeats, what the first time brought.
    func apply(to units: inout [Unit]) {
        let at = EventBody.timestamp(milliseconds: time)
        var ordinal = 0
        for index in units.indices {
            let appends = units[index].appends
            units[index].appends = []
            units[index].key = nil
            if let known = repeats[index + 1] {
                ordinal += appends.count
                units[index] = known.unit(of: units[index].envelope)
                continue
            }
            for event in appends {
                ordinal += 1
                guard let seq = seqs[ordinal] else { continue }
                let body = EventBody.durable(type: event.type, topic: event.topic, seq: seq, at: at, data: event.data)
                units[index].events.append(Event(topic: event.topic, seq: seq, body: body))
            }
        }
    }
}

extension CommitOutcome.Repeat {
    /// Only reply and durable events come again; the first time did the rest.
    fileprivate func unit(of envelope: Envelope) -> Unit {
        var unit = Unit(envelope: envelope)
        unit.reply = reply.map { Reply.repeated($0[...], mismatch: mismatch) }
        unit.events = events
        return unit
    }
}
