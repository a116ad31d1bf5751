internal import FoundationEssentials
internal import SparqWire

/// The outer keys of whatever the server sends; `data` stays bytes.
struct ServerFrame: Decodable {
    struct Failure: Decodable {
        var code: String
        var message: String?
    }

    struct Limits: Decodable {
        var message_bytes: Int?
        var in_flight: Int?
    }

    var re: String?
    var ok: Bool?
    var error: Failure?
    var `repeat`: Bool?
    var type: String?
    var topic: String?
    var seq: Int?
    var after: Int?
    var first: Int?
    var after_ms: Int?
    var connection: String?
    var user: String?
    var node: String?
    var heartbeat_ms: Int?
    var limits: Limits?
    var topics: [String: Int]?

    init?(_ bytes: [UInt8]) {
        guard let frame = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else { return nil }
        self = frame
    }

    var welcome: Welcome? {
        guard let connection, let node, let heartbeat_ms else { return nil }
        return Welcome(
            connection: connection,
            user: user,
            node: node,
            heartbeatMilliseconds: heartbeat_ms,
            messageBytes: limits?.message_bytes ?? 65_536,
            inFlight: max(1, limits?.in_flight ?? 64)
        )
    }

    /// The outcome for each topic of a reply to `subscribe`.
    static func outcomes(_ bytes: [UInt8]) -> [String: SubscriptionOutcome]? {
        struct Topic: Decodable {
            var ok: Bool
            var seq: Int?
            var error: Failure?
        }
        struct Topics: Decodable { var topics: [String: Topic] }
        guard let topics = try? DataWrapper<Topics>.unwrap(bytes).topics else { return nil }
        return topics.mapValues { topic in
            topic.ok ? .subscribed(seq: topic.seq ?? 0) : .refused(ErrorCode(rawValue: topic.error?.code ?? "internal"))
        }
    }
}
