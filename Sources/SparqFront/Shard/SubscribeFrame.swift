import SparqFrontCore
import SparqWire

/// The one client message of which the front reads more than `type` and `id`: it knows how many topics a connection has, and refuses those
/// that are too many itself.
struct SubscribeFrame {
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
        var writer = SubscribeMessage.Writer(id: id)
        // What no cursor can be is a worker's to say.
        for member in left { writer.add(member.name, text: text[member.value]) }
        return writer.finish()
    }

    /// The reply where all of the topics are too many.
    static func reply(id: String?, refused: [String], limit: Int) -> ArraySlice<UInt8> {
        var data = SubscribeReply.Writer(topics: refused.count)
        for topic in refused { data.add(topic, .refused(tooMany(limit))) }
        return ReplyBody.success(id: id, data: data.finish())
    }

    /// A worker's reply, with what the front refused.
    static func reply(_ reply: ArraySlice<UInt8>, refused: [String], limit: Int) -> ArraySlice<UInt8> {
        SubscribeReply.adding(refused, tooMany(limit), to: reply)
    }

    private static func tooMany(_ limit: Int) -> ErrorBody {
        ErrorBody(.tooManyTopics, "A connection subscribes to \(limit) topics at most.")
    }
}
