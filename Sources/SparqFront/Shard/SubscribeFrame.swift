import SparqFrontCore
import SparqWire

/// The one client message of which the front reads more than `type` and `id`: it knows how many topics a connection has, and refuses those
/// that are too many itself.
struct SubscribeFrame {
    static let type = "subscribe"
    /// The messages that name topics, and need a socket.
    static let types: Set = [type, "unsubscribe"]

    private let text: [UInt8]
    private let members: [FrameScanner.Member]

    /// `nil` where the message is not as it should be, which a worker will say.
    init?(_ message: [UInt8]) {
        guard let members = FrameScanner.members(of: "topics", in: message) else { return nil }
        text = message
        self.members = members
    }

    /// The topics' names.
    var topics: Set<ExactName> { Set(members.lazy.map { ExactName($0.name) }) }

    /// The message that asks for all of them but these; `nil` where none is left.
    func message(id: String?, without refused: [ExactName]) -> [UInt8]? {
        let refused = Set(refused)
        let left = members.filter { !refused.contains(ExactName($0.name)) }
        guard !left.isEmpty else { return nil }
        var writer = JSONWriter()
        writer.raw("{\"type\":\"subscribe\"")
        if let id {
            writer.raw(",\"id\":")
            writer.string(id)
        }
        writer.raw(",\"topics\":{")
        for (index, member) in left.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.string(member.name)
            writer.raw(":")
            // What no cursor can be is a worker's to say.
            writer.raw(text[member.value])
        }
        writer.raw("}}")
        return writer.bytes
    }

    /// The reply where all of the topics are too many.
    static func reply(id: String?, refused: [String], limit: Int) -> [UInt8] {
        var writer = JSONWriter()
        writer.raw("{")
        if let id {
            writer.raw("\"re\":")
            writer.string(id)
            writer.raw(",")
        }
        writer.raw("\"ok\":true,\"data\":{\"topics\":{")
        writer.raw(refusals(refused, limit))
        writer.raw("}}}")
        return writer.bytes
    }

    /// A worker's reply, with what the front refused.
    static func reply(_ reply: ArraySlice<UInt8>, refused: [String], limit: Int) -> ArraySlice<UInt8> {
        // In a text within it the quotation marks would be escaped. An error concerns all of the request.
        let key = Array("\"topics\":{".utf8)
        guard let end = reply.indices.first(where: { reply[$0...].starts(with: key) }).map({ $0 + key.count }) else { return reply }
        let isEmpty = end < reply.endIndex && reply[end] == UInt8(ascii: "}")
        return (reply[..<end] + refusals(refused, limit) + (isEmpty ? [] : [UInt8(ascii: ",")]) + reply[end...])[...]
    }

    private static func refusals(_ topics: [String], _ limit: Int) -> [UInt8] {
        var writer = JSONWriter()
        for (index, topic) in topics.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.string(topic)
            writer.raw(":")
            writer.raw(Frames.errorBody(.tooManyTopics, "A connection subscribes to \(limit) topics at most.", re: nil))
        }
        return writer.bytes
    }
}
