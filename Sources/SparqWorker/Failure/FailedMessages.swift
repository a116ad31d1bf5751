import AMQP
import SparqProtocol

/// Where messages go whose handler failed: to a retry queue for a while, or to the dead letters.
struct FailedMessages: Sendable {
    /// AMQP header of the attempt, counted from 1.
    static let attemptHeader = "sparq-attempt"

    let broker: Broker
    let names: BrokerNames
    let pool: String
    let schedule: RetrySchedule

    enum Fate: Sendable {
        case waits
        case dead
        /// The broker can't be told any more.
        case unknown
    }

    /// Tries again later, or no more.
    func postpone(_ envelope: Envelope, attempt: Int, reason: String) async -> Fate {
        guard let delay = schedule.delay(afterAttempt: attempt) else { return await bury(envelope, attempts: attempt, reason: reason) }
        let message = AMQPMessage(
            body: envelope.line,
            contentType: NDJSON.contentType,
            headers: [Self.attemptHeader: .int64(Int64(attempt + 1))]
        )
        let queue = WorkerTopology.retryQueue(names: names, pool: pool, delay: delay)
        return await broker.publish(message, queue: queue) == .confirmed ? .waits : .unknown
    }

    /// To the dead letters.
    func bury(_ envelope: Envelope, attempts: Int, reason: String) async -> Fate {
        var headers: [String: AMQPValue] = [
            "reason": .string(String(reason.prefix(1000))), "type": .string(envelope.type), "time": .int64(Int64(envelope.receivedAt)),
            "attempts": .int64(Int64(attempts)), "pool": .string(pool), "node": .string(envelope.node),
        ]
        if let user = envelope.user { headers["user"] = .string(user) }
        if let connection = envelope.connection { headers["connection"] = .string(connection) }
        return await bury(AMQPMessage(body: envelope.line, contentType: NDJSON.contentType, headers: headers))
    }

    /// A line that is no envelope.
    func bury(line: ArraySlice<UInt8>, reason: String) async -> Fate {
        let headers: [String: AMQPValue] = ["reason": .string(reason), "pool": .string(pool), "attempts": 1]
        return await bury(AMQPMessage(body: Array(line), contentType: NDJSON.contentType, headers: headers))
    }

    private func bury(_ message: AMQPMessage) async -> Fate {
        await broker.publish(message, queue: names.dead) == .confirmed ? .dead : .unknown
    }
}

extension Envelope {
    fileprivate var line: [UInt8] {
        var writer = JSONWriter(reservingCapacity: message.count + 256)
        encode(into: &writer)
        return writer.bytes
    }
}
