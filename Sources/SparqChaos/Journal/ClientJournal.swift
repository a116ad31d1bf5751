/// All that one client did and saw, over all its lives.
struct ClientJournal: Sendable, Equatable {
    let client: String
    var sent: [SentMessage] = []
    /// The `seq` that the first subscription of each topic was answered with: everything behind it must come.
    var subscribedAt: [String: Int] = [:]
    /// In the order of arrival.
    var seen: [String: [SeenEvent]] = [:]
    /// Events that the client library dropped because it had them; the wire brought them twice.
    var repeated = 0
    /// Errors besides a lost socket: giving up, a topic refused after a reconnect, a truncated log.
    var errors: [String] = []

    /// Sockets that were opened, and messages written more than once: what the faults cost, no faults themselves.
    var connections = 0
    var resent = 0

    init(client: String) { self.client = client }

    func lastSeq(_ topic: String) -> Int? { seen[topic]?.last?.seq ?? subscribedAt[topic] }
}
