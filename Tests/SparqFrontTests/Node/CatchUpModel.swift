import NIOCore
import SparqWire

@testable import SparqFront
@testable import SparqFrontCore

/// A node with its shards and sockets, and workers that are a log and a directory. Everything that travels between them is late, reordered,
/// repeated or lost, as the seed wills.
final class CatchUpModel {
    struct Client {
        var connection: Connection
        var socket: FakeSocket
        var shard: Int
        /// What each topic's next event must be, for topics that it subscribes to.
        var expected: [String: Int] = [:]
    }

    private var generator: SeededGenerator
    private let names: [String]
    private var state: NodeState
    private let shards: [TestShard]
    private var clients: [Client] = []
    private var now = 0

    private var heads: [String: Int] = [:]
    private var floors: [String: Int] = [:]
    /// Topic, and the version of the row.
    private var directory: [String: Int] = [:]
    /// Topic, and the version of its last leave.
    private var departures: [String: Int] = [:]
    private var questions: [() -> Void] = []
    private var network: [Delivery] = []
    private(set) var faults: [String] = []
    private(set) var seen = 0
    private(set) var truncations = 0
    var isLossy = true
    let prunes: Bool

    init(seed: UInt64, topics: Int, prunes: Bool) throws {
        generator = SeededGenerator(seed: seed)
        self.prunes = prunes
        names = (0..<topics).map { "room:\($0)" }
        var settings = NodeSettings()
        settings.ring.events = 5
        settings.hold.events = 6
        settings.ringPatience = 400
        settings.timing = SyncTiming(patience: 250, firstRetry: 3000, longestRetry: 6000, silence: 2000, expiry: 12_000)
        settings.limits = SyncLimits(topics: 2, unanswered: 2, unansweredOfBulk: 1)
        settings.strayInterval = 1000
        state = NodeState(settings: settings, shards: 2)
        let forwarder = FakeForwarder()
        shards = [TestShard(index: 0, forwarder: forwarder), TestShard(index: 1, forwarder: forwarder)]
        for index in 0..<6 {
            let (connection, socket) = try shards[index % 2].open(user: "u\(index)")
            clients.append(Client(connection: connection, socket: socket, shard: index % 2))
        }
    }

    private func body(_ topic: String, _ seq: Int) -> ArraySlice<UInt8> { Array("\(topic)/\(seq)".utf8)[...] }

    private func work(_ body: (inout NodeActions) -> Void) {
        var actions = NodeActions(shards: shards.count)
        body(&actions)
        state.finish(now: now, into: &actions)
        for (index, commands) in actions.commands.enumerated() where !commands.isEmpty { shards[index].shard.apply(commands) }
        for request in actions.syncs { repeated { [unowned self] in sync(request) } }
        for request in actions.leaves {
            repeated { [unowned self] in for topic in request.topics { leave(topic, request.version) } }
        }
        for request in actions.reads { repeated { [unowned self] in read(request) } }
        check()
    }

    private func repeated(_ question: @escaping () -> Void) {
        if isLossy, generator.chance(10) { return }
        questions.append(question)
        if isLossy, generator.chance(10) { questions.append(question) }
    }

    private func send(_ delivery: Delivery) {
        if isLossy, generator.chance(8) { return }
        network.append(delivery)
        if isLossy, generator.chance(8) { network.append(delivery) }
    }

    // MARK: The workers

    private func join(_ topic: String, _ version: Int) {
        if let known = directory[topic], known >= version { return }
        if let left = departures[topic], left > version { return }
        directory[topic] = version
    }

    private func leave(_ topic: String, _ version: Int) {
        if let known = directory[topic], known < version { directory[topic] = nil }
        departures[topic] = max(departures[topic] ?? 0, version)
    }

    private func page(_ topic: String, after: Int, version: Int, connection: String?) -> Page {
        let head = heads[topic] ?? 0
        let first = max(after, floors[topic] ?? 0) + 1
        // A worker that was asked for too much at once answers some with nothing.
        let last = generator.chance(10) ? first - 1 : min(head, first + Int.random(in: 0...(isLossy ? 9 : 90), using: &generator))
        let events = first <= last ? (first...last).map { body(topic, $0) } : []
        return Page(topic: topic, after: after, first: first, head: head, version: version, connection: connection, events: events)
    }

    /// One worker of three is of the version before.
    private func sync(_ request: SyncRequest) {
        let isOld = generator.chance(33)
        var behind: [String] = []
        for (topic, after) in request.topics.sorted(by: { $0.key < $1.key }) {
            join(topic, isOld ? request.version : request.joined(topic))
            if !isOld, after == heads[topic] ?? 0 { continue }
            behind.append(topic)
            send(.page(page(topic, after: after, version: request.version, connection: nil)))
        }
        if !isOld { send(.synced(Synced(version: request.version, behind: behind))) }
    }

    private func read(_ request: ReadRequest) {
        send(.page(page(request.topic, after: request.after, version: 0, connection: request.connection)))
    }

    // MARK: Steps

    func step() {
        now += Int.random(in: 0...40, using: &generator)
        switch Int.random(in: 0..<20, using: &generator) {
        case 0..<5 where isLossy: publish()
        case 5..<9:
            guard !network.isEmpty else { return }
            let index = Int.random(in: 0..<min(5, network.count), using: &generator)
            let delivery = network.remove(at: index)
            work { state.deliver(delivery, now: now, into: &$0) }
        case 9..<13:
            guard !questions.isEmpty else { return }
            questions.remove(at: Int.random(in: 0..<min(4, questions.count), using: &generator))()
        case 13..<15: inputs()
        case 15 where isLossy: subscribe()
        case 16 where isLossy:
            if generator.chance(40) { unsubscribe() }
        case 17:
            let client = clients.indices.randomElement(using: &generator) ?? 0
            clients[client].socket.isWritable.toggle()
            if !isLossy { clients[client].socket.isWritable = true }
            // Too much for pages, not for events.
            clients[client].socket.bufferedBytes = clients[client].socket.isWritable || generator.chance(50) ? 0 : 600_000
            if clients[client].socket.isWritable {
                clients[client].connection.drained()
                shards[clients[client].shard].turn()
            }
        case 18 where isLossy && generator.chance(3): state.resync()
        default: work { state.tick(now: now, into: &$0) }
        }
    }

    private func inputs() {
        for shard in shards {
            let inputs = shard.takeInputs()
            work { actions in for input in inputs { state.accept(input, now: now, into: &actions) } }
        }
    }

    private func publish() {
        let topic = names.randomElement(using: &generator) ?? ""
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            heads[topic, default: 0] += 1
            let event = Event(topic: topic, seq: heads[topic], body: body(topic, heads[topic] ?? 0))
            if directory[topic] != nil { send(.event(event)) }
        }
        if prunes, generator.chance(5) { floors[topic] = max(floors[topic] ?? 0, (heads[topic] ?? 0) - 8) }
    }

    private func subscribe() {
        let index = clients.indices.randomElement(using: &generator) ?? 0
        let topic = names.randomElement(using: &generator) ?? ""
        guard clients[index].expected[topic] == nil else { return }
        let head = heads[topic] ?? 0
        let cursor = generator.chance(40) ? head : Int.random(in: 0...head, using: &generator)
        clients[index].expected[topic] = cursor + 1
        // The worker's answer itself is safe: it comes with the confirmed batch. It may come twice.
        let grant = Delivery.subscribe(
            connection: clients[index].connection.name,
            grants: [Grant(topic: topic, cursor: cursor, head: head)]
        )
        work { state.deliver(grant, now: now, into: &$0) }
        if generator.chance(10) { work { state.deliver(grant, now: now, into: &$0) } }
    }

    private func unsubscribe() {
        let index = clients.indices.randomElement(using: &generator) ?? 0
        guard let topic = clients[index].expected.keys.sorted().randomElement(using: &generator) else { return }
        let target = Target.connection(clients[index].connection.name)
        work { state.deliver(.unsubscribe(target, topics: [topic]), now: now, into: &$0) }
        clients[index].expected[topic] = nil
        if generator.chance(30) {
            // The socket goes, another one comes.
            clients[index].connection.closed()
            shards[clients[index].shard].turn()
            guard let (connection, socket) = try? shards[clients[index].shard].open() else { return }
            clients[index] = Client(connection: connection, socket: socket, shard: clients[index].shard)
        }
    }

    // MARK: What must be so

    private func check() {
        // Directory first, then the log; no leave of long ago takes the row away.
        for (topic, known) in state.topics where !known.stream.isSyncing && directory[topic] == nil {
            faults.append("\(topic) has its answer, and no row")
        }
        if state.pacer.unanswered > 2 { faults.append("\(state.pacer.unanswered) requests unanswered") }
        for index in clients.indices {
            for text in clients[index].socket.takeTexts() {
                if text.contains("$truncated") {
                    truncations += 1
                    guard prunes else {
                        faults.append("truncated: \(text)")
                        continue
                    }
                    for (topic, next) in clients[index].expected where text.contains("\"\(topic)\"") {
                        let first = Int(text.split(separator: ":").last?.dropLast() ?? "") ?? -1
                        if first <= next { faults.append("\(text) where \(next) is next") }
                        clients[index].expected[topic] = first
                    }
                    continue
                }
                let parts = text.split(separator: "/")
                guard parts.count == 2, let seq = Int(parts[1]), let next = clients[index].expected[String(parts[0])] else {
                    faults.append("client \(index): \(text) is not for it")
                    continue
                }
                if seq != next { faults.append("client \(index): \(text) where \(next) is next") }
                clients[index].expected[String(parts[0])] = seq + 1
                seen += 1
            }
        }
    }

    /// Ends the faults and lets all that is on its way arrive.
    func settle() {
        isLossy = false
        for client in clients { client.socket.isWritable = true }
        state.resync()
        for _ in 0..<8000 { step() }
        // Leaves that were lost, and rows that somebody removed: the next lease finds them.
        if let gone = directory.keys.sorted().randomElement(using: &generator) { directory[gone] = nil }
        let mending = Difference(buckets: Array(0..<TopicChecksum.buckets), topics: directory.keys.sorted())
        work { state.deliver(.differs(mending), now: now, into: &$0) }
        for _ in 0..<2000 { step() }
        for index in clients.indices {
            for (topic, next) in clients[index].expected where next != (heads[topic] ?? 0) + 1 {
                faults.append("client \(index): \(topic) ends before \(next), the log at \(heads[topic] ?? 0)")
            }
        }
        let wanted = Set(clients.flatMap { $0.expected.keys })
        let present = Set(directory.keys)
        if wanted != Set(state.topics.keys) { faults.append("topics \(state.topics.keys.sorted()), subscribed \(wanted.sorted())") }
        if wanted != present { faults.append("directory \(present.sorted()), subscribed \(wanted.sorted())") }
        if state.checksum != state.topics.keys.reduce(0, { $0 + TopicChecksum.part($1) }) { faults.append("checksum") }
        if !state.reads.isEmpty { faults.append("reads left: \(state.reads)") }
        let lease = state.lease(incarnation: "i", leaving: false)
        if !lease.settled || lease.topicCount != state.topics.count { faults.append("lease \(lease)") }
    }
}
