import DequeModule

/// One sender's messages: numbered from 0, each complete when all who must hear of it have.
struct Lane {
    /// A message on its way.
    struct Pending {
        /// When it was due to be sent.
        var due: Int
        /// Who has not heard of it: the sender's reply, and its event at each subscriber.
        var open: Int
    }

    /// The socket that sends; nil where somebody else does.
    let sender: Int?
    var template: MessageTemplate
    /// Who must hear of each message.
    let audience: Int
    /// The oldest message that is not complete is `first`.
    private(set) var pending: Deque<Pending> = []
    private(set) var first = 0
    /// Messages that are not complete.
    private(set) var openCount = 0

    init(sender: Int?, template: MessageTemplate, audience: Int) {
        self.sender = sender
        self.template = template
        self.audience = audience
    }

    /// The number of the next message.
    var next: Int { first + pending.count }

    /// A message is sent. Returns its number.
    mutating func send(due: Int) -> Int {
        pending.append(Pending(due: due, open: audience))
        openCount += 1
        return next - 1
    }

    /// Somebody has heard of a message. Returns when it was due, and whether it is complete; nil for one that was not sent.
    mutating func heard(_ number: Int) -> (due: Int, isComplete: Bool)? {
        let index = number - first
        guard index >= 0, index < pending.count, pending[index].open > 0 else { return nil }
        pending[index].open -= 1
        let message = pending[index]
        if message.open == 0 {
            openCount -= 1
            while pending.first?.open == 0 {
                pending.removeFirst()
                first += 1
            }
        }
        return (message.due, message.open == 0)
    }
}

/// What one socket must hear of its lane, each in order and without gaps.
struct Listener {
    let lane: Int
    /// What its frames begin with, up to the message's number (replies) or the topic's seq (events).
    let replyPrefix: [UInt8]
    let eventPrefix: [UInt8]
    /// The number of the next reply; -1 where none is to come.
    var nextReply: Int
    /// The number of the next event; -1 where none is to come.
    var nextEvent: Int
    /// The topic's last seq; 0 before the first event.
    var seq = 0
}
