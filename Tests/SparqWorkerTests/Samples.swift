import SparqWire

@testable import SparqWorker

extension Topic {
    /// A kind of topic that an application has.
    static func room(_ id: String) -> Topic { Topic(rawValue: "room:\(id)") }
}

struct Note: EventData, Equatable {
    static let eventType = "note"
    var n: Int
}

struct Post: Decodable, Sendable {
    var room: String
    var tags: [Int]?
}

func envelope(
    _ type: String = "post",
    _ json: String = "{}",
    node: String = "n1",
    connection: String? = "c1",
    ordinal: Int = 1,
    user: String? = "alice",
    id: String? = "m1"
) -> Envelope {
    Envelope(
        node: node,
        connection: connection,
        ordinal: ordinal,
        user: user,
        receivedAt: 1,
        type: type,
        id: id,
        message: Array(json.utf8)[...]
    )
}

extension ArraySlice<UInt8> {
    var text: String { String(decoding: self, as: UTF8.self) }
}
