import SparqAMQP
public import SparqWire

/// A message that failed for good, or a batch that no worker lived through, as it lies in the queue of dead letters.
public struct DeadLetter: Sendable, Equatable {
    /// 16 hexadecimal digits, made of the content: the same however often one looks, and for a copy of the same message too.
    public let id: String
    /// What failed, a colon, and the error; `delivery_limit` where the broker gave up.
    public let reason: String
    /// The message's type; `nil` for a batch of several, and for what cannot be read.
    public let type: String?
    /// Who sent it; `nil` for a batch, for anonymous clients and for nodes.
    public let user: String?
    /// When the front received it: milliseconds since the Unix epoch.
    public let time: Int?
    /// How often a handler tried; `nil` where the broker gave up.
    public let attempts: Int?
    /// The lane that it came from.
    public let lane: String?
    /// Its type is a secret one, so its fields were not kept.
    public let isRedacted: Bool
    /// As it lies in the queue: one envelope a line.
    public let body: [UInt8]
    /// The lines that are envelopes.
    public let envelopes: [Envelope]

    init(_ message: AMQPMessage, names: BrokerNames) {
        let headers = message.headers
        let death = headers.latestDeath
        body = message.body
        id = Self.id(of: body)
        envelopes = NDJSON.lines(body).compactMap { try? Envelope(line: $0) }
        let only = envelopes.count == 1 ? envelopes.first : nil
        reason =
            headers[BrokerHeaders.Dead.reason]?.stringValue
            ?? (death?.reason == "delivery_limit" ? "delivery_limit: no worker lived through it" : death?.reason ?? "unknown")
        type = headers[BrokerHeaders.Dead.type]?.stringValue ?? only?.type
        user = headers[BrokerHeaders.Dead.user]?.stringValue ?? only?.user
        time = headers[BrokerHeaders.Dead.time]?.intValue ?? envelopes.first?.receivedAt
        attempts = headers[BrokerHeaders.Dead.attempts]?.intValue
        lane = headers[BrokerHeaders.Dead.lane]?.stringValue ?? death?.queue.flatMap(names.lane(ofWork:))
        isRedacted = headers[BrokerHeaders.Dead.redacted] == .bool(true)
    }

    /// FNV-1a of the bytes: a front counts each connection's messages, so different messages differ.
    static func id(of body: [UInt8]) -> String {
        let text = String(UInt64(bitPattern: MessageKey.fingerprint(of: body[...])), radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    /// Why it cannot be retried; `nil` where it can.
    public var obstacle: String? {
        if isRedacted { return "its type carries secrets, so its fields were not kept: the client has to send it again" }
        if lane == nil { return "it does not say which lane it came from" }
        if envelopes.isEmpty { return "it is no message that a worker can read" }
        if !envelopes.contains(where: \.isWorthRetrying) { return "it is about a connection or node as it was then" }
        return nil
    }

    /// What is published to retry it: all but what was about connections and nodes as they were then.
    var retryBody: [UInt8] {
        let lines = NDJSON.lines(body).filter { line in (try? Envelope(line: line))?.isWorthRetrying ?? true }
        return Array(lines.map(Array.init).joined(separator: [UInt8(ascii: "\n")])) + [UInt8(ascii: "\n")]
    }
}

extension Envelope {
    /// Clients' messages, and `$disconnect`, which is of use even when it is late. A late `$connect` would make somebody present who is not there.
    fileprivate var isWorthRetrying: Bool { !type.hasPrefix("$") || type == SystemType.disconnect }
}

extension [String: AMQPValue] {
    /// What the broker noted when it last moved the message (RabbitMQ, "Dead Letter Exchanges"; the latest first).
    fileprivate var latestDeath: (reason: String?, queue: String?)? {
        guard case .array(let deaths)? = self[BrokerHeaders.moves], case .table(let death)? = deaths.first else { return nil }
        return (death["reason"]?.stringValue, death["queue"]?.stringValue)
    }
}

extension BrokerNames {
    /// The lane of a work queue.
    fileprivate func lane(ofWork queue: String) -> String? {
        let start = work(lane: "")
        return queue.hasPrefix(start) ? String(queue.dropFirst(start.count)) : nil
    }
}
