/// The client's side of the protocol as a value: what happened goes in, what is to be done comes out. No I/O and no clock;
/// every time is a count of milliseconds that only ever grows.
///
/// It gives every message an id and keeps it until its reply is there, sends the unanswered again in order on the next
/// socket, and keeps the last `seq` of every topic to subscribe with.
struct ClientMachine {
    struct Configuration {
        /// What all message ids of this client begin with; unique per user for a day.
        var idPrefix: String
        /// More unanswered messages than this are refused.
        var unansweredLimit = 1_024
        /// First and last bound of the reconnect delay, in milliseconds.
        var backoffBase = 100
        var backoffCap = 30_000
        /// No `$welcome` within this time: another front is tried. Milliseconds.
        var welcomeTimeout = 10_000
        /// Nothing heard for this long beyond a heartbeat: the peer is dead. Milliseconds.
        var heartbeatGrace = 10_000
        var seed: UInt64
    }

    enum Phase: Equatable {
        case idle
        /// A `connect` is out: waiting, or on its way.
        case connecting
        /// A socket without `$welcome` yet.
        case opened
        case ready
        case finished
    }

    /// A message that has no answer yet.
    struct Request {
        var token: Int
        var body: [UInt8]
        var deadline: Int
        var isWritten = false
        var wasWritten = false
        var attempts = 0
        /// Answered with `unavailable`: not to be written before this time.
        var retryAt: Int?
    }

    /// A subscription that has no answer yet. Those without a token are the machine's own.
    struct Subscription {
        var token: Int?
        var topics: [String]
        var deadline: Int
        var isWritten = false
        var attempts = 0
        var retryAt: Int?
        /// Topics whose cursor was set back: the server keeps its place in them until it is told to give it up.
        var rewinds: [String] = []
        /// It was not told so: whatever the answer is, both are written again.
        var isInVain = false
    }

    /// An unsubscription under way: it is over with its reply or with the socket.
    struct Unsubscription {
        var topics: [String]
        var attempts = 0
        /// Refused in passing: to be written again at this time, as far as nobody wants the topics meanwhile.
        var retryAt: Int?
    }

    struct TopicState {
        var cursor: Int?
        /// The unanswered subscription that names the topic.
        var asked: Int?
        /// What gaps left out, the first of it: tells an event out of order from a repeated one.
        var missed: Set<Int> = []
        /// Being unsubscribed: what still comes is dropped.
        var isLeaving = false
    }

    /// Topics in one `subscribe` or `unsubscribe`, so that it stays below the smallest sensible message limit.
    static let topicsPerSubscription = 100

    let configuration: Configuration
    var phase = Phase.idle
    var counters = ClientCounters()
    var backoff: Backoff
    /// Messages and subscriptions share one row of numbers; the number is the end of the id.
    var nextOrdinal = 1
    var requests: [Int: Request] = [:]
    /// Requests that may be written, in order.
    var unwritten: [Int] = []
    var writtenCount = 0
    var subscriptions: [Int: Subscription] = [:]
    var unsubscriptions: [Int: Unsubscription] = [:]
    var topics: [String: TopicState] = [:]
    /// Topics that the owner let go of, whoever had subscribed to them: the server may offer them.
    var declined = DeclinedTopics()
    var welcome: Welcome?
    /// The next socket brings the cursors of all topics: the server must not subscribe it to any from now.
    var resumes = false
    var phaseSince = 0
    /// On this connection a message was answered, and well: it works as far as the workers.
    var isAnswered = false
    var lastHeard = 0
    /// When to leave the front that sent `$reconnect`.
    var leaveAt: Int?
    /// No deadline or retry is earlier.
    var earliest = Int.max

    init(_ configuration: Configuration) {
        self.configuration = configuration
        backoff = Backoff(base: configuration.backoffBase, cap: configuration.backoffCap, seed: configuration.seed)
    }

    func id(_ ordinal: Int) -> String { "\(configuration.idPrefix)-\(ordinal)" }

    func ordinal(_ id: String) -> Int? {
        guard id.hasPrefix(configuration.idPrefix), let dash = id.lastIndex(of: "-") else { return nil }
        return Int(id[id.index(after: dash)...])
    }

    mutating func takeOrdinal() -> Int {
        defer { nextOrdinal += 1 }
        return nextOrdinal
    }

    /// When `tick` wants to be called next, at the latest.
    var nextTick: Int? {
        var next = earliest
        if let leaveAt { next = min(next, leaveAt) }
        switch phase {
        case .opened: next = min(next, phaseSince + configuration.welcomeTimeout)
        case .ready: if let welcome { next = min(next, silenceLimit(welcome)) }
        case .idle, .connecting, .finished: break
        }
        return next == .max ? nil : next
    }

    func silenceLimit(_ welcome: Welcome) -> Int { lastHeard + welcome.heartbeatMilliseconds + configuration.heartbeatGrace }

    /// Any byte came in, a ping's too; or the owner itself stopped reading.
    mutating func heard(now: Int) { lastHeard = now }

    /// Time has passed.
    mutating func tick(now: Int) -> [ClientAction] {
        guard phase != .finished else { return [] }
        var actions: [ClientAction] = []
        if now >= earliest { expire(now, &actions) }
        switch phase {
        case .opened where now >= phaseSince + configuration.welcomeTimeout: drop(now, &actions)
        case .ready:
            if let welcome, now >= silenceLimit(welcome) {
                drop(now, &actions)
            } else if let leaveAt, now >= leaveAt {
                leaveFront(&actions)
            }
        default: break
        }
        if phase == .ready { flush(now, &actions) }
        return actions
    }

    private mutating func drop(_ now: Int, _ actions: inout [ClientAction]) {
        actions.append(.disconnect(code: nil))
        actions += closed(code: nil, now: now)
    }

    /// Ends what is over its deadline, readies what is due for another try, and finds the next such time.
    private mutating func expire(_ now: Int, _ actions: inout [ClientAction]) {
        earliest = .max
        for ordinal in requests.keys.sorted() {
            guard var request = requests[ordinal] else { continue }
            if request.deadline <= now {
                forget(ordinal)
                actions.append(.complete(token: request.token, .failure(ClientError(.deadline, "No answer in time."))))
                continue
            }
            if let retryAt = request.retryAt, retryAt <= now {
                request.retryAt = nil
                requests[ordinal] = request
            }
            earliest = min(earliest, request.deadline, request.retryAt ?? .max)
        }
        for ordinal in subscriptions.keys.sorted() {
            guard var subscription = subscriptions[ordinal] else { continue }
            if let token = subscription.token, subscription.deadline <= now {
                // The topics stay wanted: the machine asks on in its own name.
                subscription.token = nil
                subscription.deadline = .max
                subscriptions[ordinal] = subscription
                actions.append(.subscribed(token: token, .failure(ClientError(.deadline, "No answer in time."))))
            }
            if let retryAt = subscription.retryAt, retryAt <= now {
                subscriptions[ordinal]?.retryAt = nil
                if phase == .ready { write(subscription: ordinal, &actions) }
            }
            earliest = min(earliest, subscription.deadline, subscriptions[ordinal]?.retryAt ?? .max)
        }
        for ordinal in unsubscriptions.keys.sorted() {
            guard let retryAt = unsubscriptions[ordinal]?.retryAt else { continue }
            if retryAt <= now { leaveAgain(ordinal, &actions) } else { earliest = min(earliest, retryAt) }
        }
    }
}

/// What the machine wants done, in this order.
enum ClientAction: Equatable {
    /// Open a socket to the next front after so many milliseconds.
    case connect(after: Int)
    /// Send a text frame.
    case write([UInt8])
    /// Let go of the socket: with a close frame, or at once where `code` is `nil`. Nothing of it may be fed to the machine any more.
    case disconnect(code: Int?)
    /// A message is answered, or will not be.
    case complete(token: Int, Result<Reply, ClientError>)
    /// A subscription is answered, or will not be.
    case subscribed(token: Int, Result<[String: SubscriptionOutcome], ClientError>)
    /// Tell the owner.
    case deliver(ClientEvent)
    /// The end; `nil` where the owner wanted it.
    case finish(ClientError?)
}
