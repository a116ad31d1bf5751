/// The events that the owner has not taken yet. It can go over its limit by what one read brought; reading pauses there.
struct EventMailbox {
    private let limit: Int
    private var events: [ClientEvent] = []
    private var waiter: CheckedContinuation<Void, Never>?
    private(set) var isPaused = false
    private(set) var isFinished = false

    init(limit: Int) { self.limit = max(1, limit) }

    var isEmpty: Bool { events.isEmpty }

    /// Returns whether reading is to pause now.
    mutating func put(_ event: ClientEvent) -> Bool {
        events.append(event)
        wake()
        guard !isPaused, events.count >= limit else { return false }
        isPaused = true
        return true
    }

    /// A second reader takes the first one's place.
    mutating func wait(_ continuation: CheckedContinuation<Void, Never>) {
        wake()
        waiter = continuation
    }

    mutating func wake() {
        waiter?.resume()
        waiter = nil
    }

    /// Takes all; says whether reading is to go on.
    mutating func take() -> (events: [ClientEvent], resumes: Bool) {
        defer {
            events = []
            isPaused = false
        }
        return (events, isPaused)
    }

    mutating func finish() {
        isFinished = true
        wake()
    }
}
