import NIOCore
import SparqFrontCore
import SparqWire
import SparqWebSocket

/// One event loop's share of the hub: its connections, and who of them subscribes to what. Confined to that loop; no locks.
///
/// What happens within one turn of the loop is gathered: messages go to the forwarder together, and each socket is flushed once.
final class Shard {
    let index: Int
    let settings: ConnectionSettings
    let rate: TokenBucket.Rate
    /// What each lane of a connection may hold.
    let laneLimits: InFlight.Limits
    let environment: ShardEnvironment
    let forwarder: any Forwarding
    private(set) var connections: [UInt64: Connection] = [:]
    private var users = UserConnections()
    private(set) var topics: [ExactName: TopicSubscribers] = [:]
    var requests = PendingRequests()
    /// Lanes of which too much waits with the forwarder, as it was when something was submitted last.
    var crowded: Set<Int> = []
    /// Since when workers answer; `nil` while none does. Then what clients say waits until it is answered `unavailable`, and only connections that
    /// have ended send what they have.
    private(set) var servedSince: Int? = 0
    var counters = ShardCounters()

    private(set) var busyConnections: [Connection] = []
    var readyConnections: [Connection] = []
    /// Those that have messages for crowded lanes.
    private(set) var heldConnections: [Connection] = []
    /// Those that are not read because they sent too much.
    private(set) var restingConnections: [Connection] = []
    private var touchedConnections: [Connection] = []
    private var slowConnections: [Connection] = []
    private var inputs: [NodeInput] = []
    /// By connection, as long as it has messages under way.
    private var doubts: [UInt64: Doubts] = [:]
    /// Topics with the cursor that were granted in doubt, by connection: to be asked for with the end of the turn.
    private var askedAgain: [UInt64: [String: Int]] = [:]
    var isSubmitPlanned = false
    var drain: ShardDrain?
    /// Those who must come again, while the front stays.
    var recall: ShardDrain?

    init(index: Int, settings: ConnectionSettings, forwarder: any Forwarding, environment: ShardEnvironment) {
        self.index = index
        self.settings = settings
        rate = settings.rate
        laneLimits = settings.laneLimits
        self.forwarder = forwarder
        self.environment = environment
    }

    func now() -> Int { environment.now() }
    func wallClock() -> Int { environment.wallClock() }

    /// Nothing is open, and all that was on its way is finished.
    var isEmpty: Bool { connections.isEmpty && requests.isEmpty }

    // MARK: Connections

    /// A new connection of this shard.
    ///
    /// - Parameter address: The address that the client comes from, as workers are told.
    func makeConnection(user: String, address: String? = nil, socket: any ClientSocket) -> Connection {
        Connection(id: .random(.socket, shard: index), user: user, address: address, socket: socket, shard: self)
    }

    func add(_ connection: Connection) {
        connections[connection.id.number] = connection
        users.add(connection)
        counters.connections += 1
    }

    /// Its socket is open and its user welcome.
    func welcomed(_ connection: Connection) {
        drain?.add(connection, now: now())
    }

    /// Forgets a connection that has nothing more to send.
    func remove(_ connection: Connection) {
        guard connection.life.remove() else { return }
        connections[connection.id.number] = nil
        users.remove(connection)
        doubts[connection.id.number] = nil
        counters.connections -= 1
    }

    // MARK: What connections say

    /// It has messages on their way: its deadlines are to be looked at.
    func busy(_ connection: Connection) {
        guard connection.lists.insert(.busy).inserted else { return }
        busyConnections.append(connection)
    }

    /// It has messages that may be sent.
    func ready(_ connection: Connection) {
        guard connection.lists.insert(.ready).inserted else { return }
        readyConnections.append(connection)
        planSubmit()
    }

    /// It has messages that cannot leave before their lane has room.
    func hold(_ connection: Connection) {
        guard connection.lists.insert(.held).inserted else { return }
        heldConnections.append(connection)
    }

    /// Lets go those that were held.
    func takeHeld() -> [Connection] {
        defer { heldConnections = [] }
        for connection in heldConnections { connection.lists.remove(.held) }
        return heldConnections.filter { $0.life.stage != .removed }
    }

    /// It is not read until a sweep wakes it.
    func rests(_ connection: Connection) { restingConnections.append(connection) }

    /// It has frames to be flushed.
    func touch(_ connection: Connection) {
        guard connection.lists.insert(.touched).inserted else { return }
        touchedConnections.append(connection)
    }

    /// It is over its outbound limit.
    func slow(_ connection: Connection) {
        if connection.life.slow() { slowConnections.append(connection) }
    }

    /// Tells the node.
    func tell(_ input: NodeInput) { inputs.append(input) }

    /// Ends its subscriptions.
    func unsubscribeAll(_ connection: Connection) {
        while let subscription = connection.subscriptions.popLast() { end(subscription, of: connection) }
        connection.subscriptions = []
    }

    /// Ends a turn: one flush for each socket that was written to, and what the node is to know.
    func finishTurn() {
        // What is done here may end a socket, or read on from it, which ends a turn within this one: so the lists are taken first.
        if !askedAgain.isEmpty {
            let asked = askedAgain
            askedAgain = [:]
            for (number, topics) in asked { connections[number]?.askAgain(topics) }
        }
        if !slowConnections.isEmpty {
            let slow = slowConnections
            slowConnections = []
            for connection in slow {
                counters.slow += 1
                connection.close(.slowConsumer, reason: "slow consumer")
            }
        }
        while !touchedConnections.isEmpty {
            let touched = touchedConnections
            touchedConnections = []
            for connection in touched {
                connection.lists.remove(.touched)
                connection.flush()
            }
        }
        guard !inputs.isEmpty else { return }
        environment.tell(inputs)
        inputs = []
    }

    // MARK: From the node

    /// Carries out what the node says, in order.
    func apply(_ commands: [ShardCommand]) {
        for command in commands { apply(command) }
        finishTurn()
    }

    private func apply(_ command: ShardCommand) {
        switch command {
        case .done(let id, let ordinal, let reply, let session):
            if id.kind == .http {
                requests.finish(id.number, .reply(reply.map(Array.init), session))
            } else {
                connections[id.number]?.finished(ordinal, reply: reply)
            }
        case .postponed(let id, let ordinal): connections[id.number]?.postponed(ordinal)
        case .resync:
            for connection in busyConnections { connection.inFlight.doubt() }
            requests.doubt()
        case .missedEnds: recallAll()
        case .undelivered(let id, let ordinals, let code):
            counters.unavailable += ordinals.count
            if id.kind == .http { requests.fail(id.number, code) } else { connections[id.number]?.undelivered(ordinals, code) }
        case .send(let id, let ordinal, let frame):
            // Not dropped, as a topic's ephemeral events are: `$subscribed` comes this way, and without it a client cannot resume.
            if let connection = connections[id.number], connection.isCurrent(ordinal) { write([frame], to: connection) }
        case .release(let topic, let releases): release(releases, topic)
        case .ephemeral(let topic, let frame):
            for entry in topics[ExactName(topic)]?.entries ?? [] { ephemeral(frame, to: entry.connection) }
        case .subscribe(let id, let ordinal, let topic, let start): subscribe(id, ordinal, topic, start)
        case .page(let id, let topic, let page): deliver(page, topic, to: id)
        case .join(let id, let topic, let after, let through, let frames):
            join(id, topic, after: after, through: through, frames)
        case .unsubscribe(let target, let ordinal, let sender, let names):
            for connection in find(target) where connection.isCurrent(ordinal) {
                if case .user = target { doubt(connection, names, sender) }
                unsubscribe(connection, from: names)
            }
        case .disconnect(let target, let ordinal, let code, let reason):
            let code = CloseCode(rawValue: UInt16(clamping: code))
            for connection in find(target) where connection.isCurrent(ordinal) {
                connection.close(code.isAllowedOnWire ? code : .disconnected, reason: reason)
            }
        }
    }

    private func find(_ target: ConnectionTarget) -> [Connection] {
        switch target {
        case .connection(let id): connections[id.number].map { [$0] } ?? []
        case .user(let user): users.of(user)
        }
    }

    func find(_ id: ConnectionID, _ topic: String) -> (Connection, Connection.Subscription)? {
        guard let connection = connections[id.number], let topic = topics[ExactName(topic)], let index = connection.index(in: topic) else {
            return nil
        }
        return (connection, Connection.Subscription(topic: topic, index: index))
    }

    // MARK: Subscriptions

    private func subscribe(_ id: ConnectionID, _ ordinal: Int?, _ name: String, _ start: ShardCommand.Start) {
        guard let connection = connections[id.number], connection.life.isPresent, connection.isCurrent(ordinal) else {
            return refuse(name)
        }
        if let ordinal, doubts[id.number]?.covers(name, ordinal) ?? false {
            refuse(name)
            askedAgain[id.number, default: [:]][name] = start.cursor
            return
        }
        // What the ring holds is written at once where the socket has room for it; else it is read from the log as the socket drains.
        let (subscriber, frames): (Subscriber, [ByteBuffer]?) =
            switch start {
            case .live(let cursor, let through, let frames) where connection.hasRoom(for: frames):
                (.live(cursor: cursor, through: through), frames)
            case .live(let cursor, _, _), .behind(let cursor): (.behind(cursor: cursor), nil)
            }
        if let topic = topics[ExactName(name)], let index = connection.index(in: topic) {
            // A subscriber already, and counted as one.
            refuse(name)
            // It keeps its place, which loses and repeats nothing; unless it asks for what lies before its beginning: the server subscribed it
            // from now, before it could say what it had seen last.
            guard subscriber.start < topic.entries[index].subscriber.start else { return }
            topic.change(at: index) { $0 = subscriber }
        } else {
            let topic = topics[ExactName(name)] ?? TopicSubscribers(name: name)
            topics[ExactName(name)] = topic
            topic.add(connection, subscriber)
        }
        if let frames { write(frames, to: connection) } else { connection.startCatchingUp() }
    }

    /// What the connection has under way, and what workers try again later, may be granted these topics as of before.
    private func doubt(_ connection: Connection, _ topics: [String], _ sender: Sender?) {
        let own = sender.flatMap { $0.connection == connection.id ? $0.ordinal : nil }
        guard let last = connection.inFlight.lastUnaware(of: own) else { return }
        doubts[connection.id.number, default: Doubts()].add(topics, through: last)
    }

    private func refuse(_ topic: String) { tell(.refused(topic: topic, shard: index)) }

    private func unsubscribe(_ connection: Connection, from names: [String]) {
        let ended = Set(names.compactMap { topics[ExactName($0)].map(ObjectIdentifier.init) })
        if ended.isEmpty { return }
        // From the end, as one that is removed is replaced by the last one.
        for place in connection.subscriptions.indices.reversed()
        where ended.contains(ObjectIdentifier(connection.subscriptions[place].topic)) {
            end(connection.removeSubscription(at: place), of: connection)
        }
        // What it had asked for may be others' turn now.
        connection.catchUp()
    }

    private func end(_ subscription: Connection.Subscription, of connection: Connection) {
        subscription.topic.remove(at: subscription.index)
        if subscription.topic.entries.isEmpty { topics[ExactName(subscription.topic.name)] = nil }
        tell(.left(connection.id, topic: subscription.topic.name))
    }

    // MARK: Time

    /// Workers answer from now on, or none does any more.
    func setServed(_ isServed: Bool) {
        guard isServed != (servedSince != nil) else { return }
        servedSince = isServed ? now() : nil
        if isServed, !readyConnections.isEmpty { planSubmit() }
    }

    /// Looks at the deadlines of all that is on its way.
    func sweep() {
        let now = now()
        let busy = busyConnections
        busyConnections = []
        for connection in busy {
            connection.sweep(now: now)
            if connection.inFlight.isEmpty || connection.life.stage == .removed {
                connection.lists.remove(.busy)
            } else {
                busyConnections.append(connection)
            }
        }
        let resting = restingConnections
        restingConnections = []
        // Who wakes may send too much at once, and rest again.
        let sleeping = resting.filter { !$0.wake(now: now) }
        restingConnections += sleeping
        if !doubts.isEmpty { doubts = doubts.filter { !(connections[$0.key]?.inFlight.isEmpty ?? true) } }
        // While nothing may leave, those that are gone must not pile up.
        readyConnections.removeAll { $0.life.stage == .removed }
        heldConnections.removeAll { $0.life.stage == .removed }
        if servedSince == nil { submit() }
        requests.expire(now: now)
        drain?.step(now: now, patience: settings.replyDeadline)
        recall?.step(now: now, patience: settings.replyDeadline)
        if recall?.isEmpty ?? false { recall = nil }
        finishTurn()
    }
}
