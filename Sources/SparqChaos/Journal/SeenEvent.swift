/// A durable event as a client got it.
struct SeenEvent: Sendable, Equatable {
    let seq: Int
    /// From the event's text; `nil` where the event comes from no message of the run's.
    let token: String?
}
