import FoundationEssentials

/// Whether a reply says yes or no; only replies that the front itself acts on are read.
enum ReplyOutcome: Equatable {
    case ok
    case error(code: String)

    /// Reads the JSON text of a reply. What is no reply counts as an error of the workers.
    init(_ reply: ArraySlice<UInt8>) {
        struct Reply: Decodable {
            struct Failure: Decodable { var code: String }
            var ok: Bool
            var error: Failure?
        }
        guard let reply = try? JSONDecoder().decode(Reply.self, from: Data(reply)) else {
            self = .error(code: "internal")
            return
        }
        self = reply.ok ? .ok : .error(code: reply.error?.code ?? "internal")
    }
}
