/// A durable message that a client sent, and what it knows of its fate.
struct SentMessage: Sendable, Equatable {
    /// What the client knows.
    enum Outcome: Sendable, Equatable {
        /// No answer yet; at the end of a run nobody may be left waiting.
        case unanswered
        /// Answered: it took effect.
        case accepted
        /// Answered with an error.
        case refused(String)
        /// The client went away before the answer. It may have taken effect, once.
        case abandoned
    }

    /// Unique in the run; stands in the text, so that it is found again in the log and in events.
    let token: String
    /// Every topic that gets exactly one event of it.
    var topics: [String]
    /// Messages of one lane are sent one after the other, each after the answer to the one before.
    let lane: Int
    var outcome: Outcome = .unanswered
}
