import NIOCore
import SparqFrontCore
import SparqWire

/// All that a node knows of its topics: a ``TopicStream`` for each that has a subscriber here, who is asked for what, and what the directory
/// should say. Pure: what comes in changes it and adds to ``NodeActions``.
///
/// The front alone owns its rows of the directory, and numbers its changes. A topic's first subscriber makes the node ask (`$sync`), which
/// writes the row before it reads the log; its last one makes it leave.
///
/// Times are nanoseconds of a clock that never goes back.
struct NodeState: Sendable {
    struct Topic: Sendable {
        var stream: FrameStream
        /// The version with which the node asked for it first: as of then it has had it, whatever it left before.
        var joined: Int?
        /// Subscribers in each shard that has some.
        var subscribers: [(shard: Int, count: Int)] = []
    }

    let settings: NodeSettings
    let shards: Int
    var topics: [String: Topic] = [:]
    /// Topics with a gap: those that time matters to.
    var restless: Set<String> = []
    /// Topics with a question.
    var pacer: SyncPacer
    /// Readers with a question.
    var reads: ReadPacer
    /// Topics to be left with the next batch of work.
    var leaving: Set<String> = []
    /// When a topic was left last, or an event of it last came astray.
    var strays: [String: Int] = [:]
    /// The node's own count of its directory changes. A node that comes back under its old id must go on above where it was.
    var version: Int
    /// Of each bucket of topics, what the directory should have.
    private(set) var sums = [Int](repeating: 0, count: TopicChecksum.buckets)
    private var heard: RecentOrigins
    var nextLookAtRings = 0
    var counters = NodeCounters()

    init(settings: NodeSettings, shards: Int, version: Int = 0) {
        self.settings = settings
        self.shards = shards
        pacer = SyncPacer(limits: settings.limits, timing: settings.timing)
        reads = ReadPacer(limit: settings.limits.unansweredReads)
        heard = RecentOrigins(limit: settings.originsKept)
        self.version = version
    }

    /// Of all topics, what the directory should have.
    var checksum: Int { sums.reduce(0, +) }

    /// Topics with a subscriber here.
    var topicCount: Int { topics.count }

    // MARK: Inputs

    /// One line of a batch from a worker came.
    mutating func deliver(_ delivery: Delivery, now: Int, into actions: inout NodeActions) {
        counters.deliveries += 1
        switch delivery {
        case .event(let event): deliver(event, now: now, into: &actions)
        case .done(let done):
            guard let id = connection(done.connection) else { return }
            actions.commands[id.shard].append(.done(id, ordinal: done.ordinal, reply: done.reply, session: done.session))
        case .postponed(let connection, let ordinal):
            // An HTTP request has nothing behind it, and waits for its reply anyway.
            guard let id = self.connection(connection), id.kind == .socket else { return }
            actions.commands[id.shard].append(.postponed(id, ordinal: ordinal))
        case .send(let connection, let ordinal, let body):
            guard let id = self.connection(connection) else { return }
            actions.commands[id.shard].append(.send(id, ordinal: ordinal, frame: TextFrame.encode(body)))
        case .subscribe(let connection, let ordinal, let grants):
            guard let id = self.connection(connection), id.kind == .socket else { return }
            // With one that no worker can write down, none of those that are asked for with it would be.
            for grant in grants where SparqWire.Topic(rawValue: grant.topic).isValid {
                subscribe(id, grant, ordinal: ordinal, now: now, into: &actions)
            }
        case .unsubscribe(let target, let ordinal, let origin, let topics):
            guard isNew(origin) else { return }
            let sender = Sender(origin: origin)
            tell(target, into: &actions) { .unsubscribe($0, ordinal: ordinal, sender: sender, topics: topics) }
        case .disconnect(let target, let ordinal, let origin, let code, let reason):
            guard isNew(origin) else { return }
            tell(target, into: &actions) { .disconnect($0, ordinal: ordinal, code: code, reason: reason) }
        case .page(let page):
            pacer.heard(now: now)
            if let connection = page.connection {
                guard let id = self.connection(connection) else { return }
                deliver(page, to: id, now: now, into: &actions)
            } else {
                deliver(page, now: now, into: &actions)
            }
        case .synced(let synced):
            pacer.heard(now: now)
            deliver(synced, now: now, into: &actions)
        case .lease(let answer):
            pacer.heard(now: now)
            if answer == .resync { resync() }
        case .differs(let difference): mend(difference, now: now)
        }
    }

    /// A shard has something to say.
    mutating func accept(_ input: NodeInput, now: Int, into actions: inout NodeActions) {
        switch input {
        case .left(let connection, let topic):
            reads.settle(ReadPacer.Key(connection: connection, topic: topic))
            removeSubscriber(of: topic, shard: connection.shard, now: now)
        case .refused(let topic, let shard): removeSubscriber(of: topic, shard: shard, now: now)
        case .resync:
            resync()
            for shard in 0..<shards { actions.commands[shard].append(.resync) }
        case .missedEnds: for shard in 0..<shards { actions.commands[shard].append(.missedEnds) }
        case .more(let connection, let topic, let after): more(connection, topic, after: after, into: &actions)
        }
    }

    // MARK: Helpers

    /// Counts a topic that has come, or one that has gone.
    mutating func count(_ topic: String, isHere: Bool) {
        let part = TopicChecksum.part(topic)
        sums[TopicChecksum.bucket(ofPart: part)] += isHere ? part : -part
    }

    private func connection(_ text: String) -> ConnectionID? {
        guard let id = ConnectionID(text), id.shard < shards else { return nil }
        return id
    }

    private mutating func isNew(_ origin: String?) -> Bool { origin.map { heard.insert($0) } ?? true }

    private func tell(_ target: Target, into actions: inout NodeActions, _ command: (ConnectionTarget) -> ShardCommand) {
        switch target {
        case .connection(let text):
            guard let id = connection(text) else { return }
            actions.commands[id.shard].append(command(.connection(id)))
        case .user(let user):
            for shard in 0..<shards { actions.commands[shard].append(command(.user(user))) }
        }
    }
}

/// Settings of the node's core.
struct NodeSettings: Sendable, Equatable {
    var hold = HoldLimits()
    var ring = RingLimits()
    /// A ring whose last event is older is emptied. Nanoseconds.
    var ringPatience = 60_000_000_000
    var timing = SyncTiming()
    var limits = SyncLimits()
    /// Topics in one `$leave`.
    var topicsPerRequest = 500
    /// An event of a topic without subscribers makes the node leave it again, at most once in this time. Nanoseconds.
    var strayInterval = 10_000_000_000
    /// Topics of which that is remembered.
    var strayLimit = 10_000
    /// Instructions for users that are remembered, at least.
    var originsKept = 10_000
}
