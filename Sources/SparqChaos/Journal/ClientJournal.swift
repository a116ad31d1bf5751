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
    /// It took topics back before the server had heard that it let go of them: what the end of the old subscription brought meanwhile comes
    /// once more behind the cursor of the new one, and the library drops it.
    var isHasty = false
    /// Events that the client library dropped because they came behind a later one.
    var inverted = 0
    /// Replies that nobody waited for, beyond those that a passing error or a cancelled message accounts for.
    var strayReplies = 0
    /// Events of topics that the client had not asked for, or had let go of.
    var uninvited: [String] = []
    /// A message and its repeat that were answered differently.
    var otherReplies: [String] = []
    /// Errors besides a lost socket: giving up, a topic refused after a reconnect, a truncated log.
    var errors: [String] = []

    /// Sockets that were opened, and messages written more than once: what the faults cost, no faults themselves.
    var connections = 0
    var resent = 0
    /// Events ahead of a cursor that was being subscribed again; they came once more in their turn.
    var early = 0
    /// How often a topic was let go of and taken again.
    var returns = 0
    /// What an orderly restart must spare everybody: answers of `unavailable` and `rate_limited`, sockets that ended without having been
    /// announced, requests over HTTP that broke off or got such an answer.
    var passing = 0
    var unannounced = 0
    var brokenRequests: [String] = []

    init(client: String) { self.client = client }

    func lastSeq(_ topic: String) -> Int? { seen[topic]?.last?.seq ?? subscribedAt[topic] }
}
