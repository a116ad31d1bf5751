/// What clients saw besides messages and events.
extension Checker {
    mutating func checkSurroundings(_ journal: ClientJournal) {
        for error in journal.errors { verdict.note(.clientError, "\(journal.client): \(error)") }
        for replies in journal.otherReplies { verdict.note(.otherReply, "\(journal.client): \(replies)") }
        verdict.note(.strayReply, count: journal.strayReplies, "\(journal.client) got \(journal.strayReplies)")
        verdict.connections += journal.connections
        verdict.resent += journal.resent
        verdict.early += journal.early
        verdict.returns += journal.returns
        verdict.passing += journal.passing
        verdict.unannounced += journal.unannounced
        verdict.brokenRequests += journal.brokenRequests.count
        guard verdict.isOrderly else { return }
        verdict.note(.passing, count: journal.passing, "\(journal.client) got \(journal.passing)")
        verdict.note(.unannounced, count: journal.unannounced, "\(journal.client) lost \(journal.unannounced)")
        for request in journal.brokenRequests { verdict.note(.brokenRequest, "\(journal.client): \(request)") }
        for message in journal.sent where message.outcome == .abandoned { verdict.note(.abandoned, message.token) }
    }
}
