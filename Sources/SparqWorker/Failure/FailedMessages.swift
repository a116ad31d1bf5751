import SparqAMQP
import Logging
import SparqPostgres
package import SparqWire

/// Where messages go whose handler failed: to a retry queue for a while, or to the dead letters.
struct FailedMessages: Sendable {
    let publisher: ConfirmedPublisher
    let names: BrokerNames
    let lane: String
    let schedule: RetrySchedule
    /// Whether messages of a type carry secrets.
    let isSecret: @Sendable (String) -> Bool
    let logger: Logger

    /// How often a message is tried again.
    enum Patience: Sendable {
        /// Until its attempts are used up.
        case counted
        /// For as long as it takes an operator, after the longest pause in the end.
        case untilMended
        /// For as long as it takes, as the same attempt.
        case untilItsTurn
    }

    enum Fate: Sendable {
        case waits
        case dead
        /// The broker can't be told any more.
        case unknown
    }

    /// Which step failed; the dead letter's reason begins with it.
    enum Step: String, Sendable {
        /// The handler threw, or a policy that a repeat asked.
        case handler
        /// These failed in passing too often.
        case retries
        /// The effects cannot be written.
        case commit
        /// What a node asked cannot be done.
        case node
        /// Workers died over it.
        case worker
        /// The line cannot be read.
        case envelope
    }

    /// Tries again later, or no more.
    func postpone(_ envelope: Envelope, attempt: Int, _ failure: any Error, _ patience: Patience = .counted) async -> Fate {
        guard let (delay, next) = schedule.next(afterAttempt: attempt, patience) else {
            return await bury(envelope, attempts: attempt, .retries, failure)
        }
        let message = AMQPMessage(
            body: envelope.line,
            contentType: NDJSON.contentType,
            headers: [BrokerHeaders.attempt: .int64(Int64(next)), BrokerHeaders.unawaited: true]
        )
        let queue = WorkerTopology.retryQueue(names: names, lane: lane, delay: delay)
        switch await publisher.publish(message, queue: queue) {
        case .confirmed: return .waits
        case .refused: return await bury(envelope, attempts: attempt, .retries, failure)
        case .unroutable, .ended: return .unknown
        }
    }

    /// To the lane's suspects, together and apart from what they came with. False where the broker can't be told any more.
    ///
    /// - Parameter pause: Not at once, but when this time is over, which must be that of the lane's queue for it.
    func suspect(_ envelopes: [Envelope], of batch: InboundBatch, after pause: Duration? = nil) async -> Bool {
        var headers: [String: AMQPValue] = [BrokerHeaders.attempt: .int64(Int64(batch.attempt))]
        if !batch.isAwaited { headers[BrokerHeaders.unawaited] = true }
        let message = AMQPMessage(body: envelopes.flatMap(\.line), contentType: NDJSON.contentType, headers: headers)
        let queue = pause.map { WorkerTopology.suspectPauseQueue(names: names, lane: lane, pause: $0) } ?? names.suspect(lane: lane)
        return await publisher.publish(message, queue: queue) == .confirmed
    }

    /// To the dead letters.
    func bury(_ envelope: Envelope, attempts: Int, _ step: Step, _ error: any Error) async -> Fate {
        var kept = envelope
        var headers: [String: AMQPValue] = [
            BrokerHeaders.Dead.type: .string(envelope.type), BrokerHeaders.Dead.time: .int64(Int64(envelope.receivedAt)),
            BrokerHeaders.Dead.attempts: .int64(Int64(attempts)), BrokerHeaders.Dead.node: .string(envelope.node),
        ]
        if let user = envelope.user { headers[BrokerHeaders.Dead.user] = .string(user) }
        if let connection = envelope.connection { headers[BrokerHeaders.Dead.connection] = .string(connection) }
        if isSecret(envelope.type) {
            kept = envelope.redacted
            headers[BrokerHeaders.Dead.redacted] = true
        }
        return await bury(kept.line, headers, step, account(of: error, envelope))
    }

    /// A line that is no envelope.
    func bury(line: ArraySlice<UInt8>, _ error: any Error) async -> Fate {
        await bury(Array(line), [BrokerHeaders.Dead.attempts: 1], .envelope, "\(error)")
    }

    /// What may be written down about an error: those of secret messages could quote a field.
    func account(of error: any Error, _ envelope: Envelope) -> String {
        guard isSecret(envelope.type) else { return "\(error)" }
        // A database error's code and state are the server's own words.
        if let error = error as? PostgresError { return error.sqlState.map { "\(error.code) \($0)" } ?? "\(error.code)" }
        return "\(type(of: error))"
    }

    /// What a log line says of a failed message.
    func metadata(_ envelope: Envelope, _ error: any Error) -> Logger.Metadata {
        envelope.metadata.merging(["error": "\(account(of: error, envelope))"]) { $1 }
    }

    /// What a log line says of a message.
    func metadata(_ envelope: Envelope) -> Logger.Metadata { envelope.metadata }

    /// The same.
    static func metadata(of envelope: Envelope) -> Logger.Metadata { envelope.metadata }

    private func bury(_ body: [UInt8], _ headers: [String: AMQPValue], _ step: Step, _ account: String) async -> Fate {
        var headers = headers
        headers[BrokerHeaders.Dead.reason] = .string("\(step): \(account)".prefix(utf8Count: 1000))
        headers[BrokerHeaders.Dead.lane] = .string(lane)
        let message = AMQPMessage(body: body, contentType: NDJSON.contentType, headers: headers)
        switch await publisher.publish(message, queue: names.dead) {
        // What the broker will never take must not come again for ever; the log has its place.
        case .confirmed, .refused: return .dead
        case .unroutable, .ended: return .unknown
        }
    }
}

extension Envelope {
    /// As it travels.
    var line: [UInt8] {
        var writer = JSONWriter(reservingCapacity: message.count + 256)
        encode(into: &writer)
        return writer.bytes
    }

    /// Without the handler's fields: only what the front knew of the message.
    package var redacted: Envelope {
        var writer = JSONWriter(reservingCapacity: 128)
        Frame(type: type, id: id).encode(into: &writer)
        var copy = self
        copy.message = writer.bytes[...]
        return copy
    }

    fileprivate var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["type": "\(type)", "node": "\(node)"]
        if let user { metadata["user"] = "\(user)" }
        if let connection { metadata["connection"] = "\(connection)" }
        if let id { metadata["id"] = "\(id)" }
        return metadata
    }
}
