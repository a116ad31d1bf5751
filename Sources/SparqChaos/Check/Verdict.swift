/// What the checker counted. Everything in ``faults`` is zero for a correct system.
struct Verdict: Sendable, Equatable {
    /// What can be wrong.
    enum Fault: String, CaseIterable, Sendable {
        /// A message that took effect more than once.
        case duplicateEffect = "messages with two effects"
        /// A message that was answered and is not in the log.
        case lostMessage = "messages lost"
        /// A message of several topics that is in some of them alone.
        case tornMessage = "messages half done"
        /// A message that was refused, and took effect.
        case refusedWithEffect = "refused messages with effect"
        /// A message without an answer at the end.
        case unanswered = "messages unanswered"
        /// A message that got an error.
        case refused = "messages refused"
        /// A message that lies before one that was answered before it was sent.
        case senderOrder = "messages before their predecessor"
        /// A number that is missing in a topic's log.
        case logGap = "gaps in the log"
        /// An event that came to a subscriber a second time.
        case duplicateDelivery = "events delivered twice"
        /// An event that came to a subscriber after a later one.
        case inversion = "events out of order"
        /// An event that a subscriber missed although later ones came.
        case gap = "gaps in deliveries"
        /// An event at the end of the log that never came to a subscriber.
        case lostDelivery = "events not delivered"
        /// An event that says something else than the log.
        case wrongContent = "events unlike the log"
        /// An event of a topic that its subscriber had not asked for, or had let go of.
        case uninvited = "events of topics not asked for"
        /// A reply to a message that had its answer.
        case strayReply = "replies to nobody"
        /// A message and its repeat that were not answered alike.
        case otherReply = "repeats answered otherwise"
        /// A user who was there for nobody, or still there when all of theirs had gone.
        case presence = "users shown otherwise than they are"
        /// A message that was given up: none of these messages fails for a reason of its own.
        case deadLetter = "messages among the dead letters"
        /// Errors that clients saw besides lost sockets.
        case clientError = "client errors"
        /// What an orderly restart spares its clients; where processes are killed it must be.
        case passing = "unavailable or rate limited"
        case unannounced = "sockets closed unannounced"
        case brokenRequest = "requests broken off"
        case abandoned = "messages abandoned"

        /// Whether it is one in an orderly restart alone.
        var isOfOrderlyRuns: Bool { [.passing, .unannounced, .brokenRequest, .abandoned].contains(self) }
    }

    /// Nobody was killed: clients may see nothing but the reconnect.
    var isOrderly = false

    var sent = 0
    var accepted = 0
    var abandoned = 0
    var subscriptions = 0
    var deliveries = 0
    var connections = 0
    var resent = 0
    var early = 0
    var returns = 0
    var overlaps = 0
    var passing = 0
    var unannounced = 0
    var brokenRequests = 0
    private(set) var faults: [Fault: Int] = [:]
    private var noted: [Fault: Int] = [:]
    /// The first few of each, in words.
    private(set) var examples: [String] = []

    var isClean: Bool { faults.isEmpty }
    func count(_ fault: Fault) -> Int { faults[fault] ?? 0 }

    mutating func note(_ fault: Fault, count: Int = 1, _ example: @autoclosure () -> String) {
        guard count > 0 else { return }
        if noted[fault, default: 0] < 6 { examples.append("\(fault.rawValue): \(example())") }
        faults[fault, default: 0] += count
        noted[fault, default: 0] += 1
    }
}
