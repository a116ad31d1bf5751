import SparqClient
import SparqWire

/// Many clients that talk, leave and come back.
struct Load: Sendable {
    let settings: LoadSettings
    let clients: [ChaosClient]
    /// Without sockets.
    let visitors: [ChaosClient]
    let urls: [String]
    let latencies: Latencies
    /// Nobody gives up before this.
    let deadline: ContinuousClock.Instant

    init(settings: LoadSettings, tokens: [String: String], sockets: [String], urls: [String], deadline: ContinuousClock.Instant) {
        self.settings = settings
        self.urls = urls
        self.deadline = deadline
        latencies = Latencies()
        clients = (0..<settings.clients).map { index in
            let user = settings.user(index % settings.users)
            let seed = settings.seed &* 1_000_003 &+ UInt64(index)
            return ChaosClient(name: "c\(index)", user: user, token: tokens[user] ?? "", urls: sockets, seed: seed)
        }
        visitors = (0..<settings.visitors).map { index in
            let user = settings.visitor(index)
            return ChaosClient(name: "v\(index)", user: user, token: tokens[user] ?? "", urls: [], seed: 0)
        }
    }

    /// Connects all clients and subscribes them to everything that concerns them.
    func open() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, client) in clients.enumerated() {
                let topics = topics(of: client, index)
                group.addTask { try await client.open(topics: topics, deadline: .seconds(60)) }
            }
            try await group.waitForAll()
        }
    }

    /// Talks until `end`, then waits until every message has its answer.
    func talk(until end: Ending) async {
        await withTaskGroup(of: Void.self) { group in
            for (index, client) in clients.enumerated() {
                for lane in 0..<LoadSettings.lanes { group.addTask { await self.talk(client, index, lane, until: end) } }
            }
            for index in visitors.indices { group.addTask { await self.visit(index, until: end) } }
        }
    }

    private func talk(_ client: ChaosClient, _ index: Int, _ lane: Int, until end: Ending) async {
        var generator = SeededGenerator(seed: settings.seed &* 7_919 &+ UInt64(index * LoadSettings.lanes + lane))
        let pauses = 1_000 * Double(settings.clients * LoadSettings.lanes) / settings.rate
        while true {
            let next = ContinuousClock.now + .milliseconds(Int(Double.random(in: 0...(2 * pauses), using: &generator)))
            while ContinuousClock.now < next, !end.isOver { await pause(min(.milliseconds(500), next - ContinuousClock.now)) }
            if end.isOver { return }
            let draw = Int.random(in: 0..<100, using: &generator)
            switch draw {
            case 0..<3 where settings.isRestless: await client.breakOff()
            // One lane alone, so that there are no two new lives at once; the other lane's message is abandoned.
            case 3..<5 where settings.isRestless && lane == 0: await reopen(client)
            // The same lane, so that no new life comes between.
            case 10..<30 where settings.isRestless && lane == 0 && index.isMultiple(of: 4):
                await letGo(client, index, &generator)
            case 5..<10: await client.postTwice(draft(index, &generator), lane: lane, at: urls, deadline: deadline)
            default:
                let start = ContinuousClock.now
                if await client.send(draft(index, &generator), lane: lane, deadline: deadline - start) {
                    await latencies.note(ContinuousClock.now - start)
                }
            }
        }
    }

    private func reopen(_ client: ChaosClient) async {
        // What goes wrong stands in the journal: a subscription without an answer leaves its events undelivered.
        try? await client.reopen(deadline: deadline - ContinuousClock.now)
    }

    private func letGo(_ client: ChaosClient, _ index: Int, _ generator: inout SeededGenerator) async {
        guard let topic = topics(of: client, index).randomElement(using: &generator) else { return }
        let time = Duration.milliseconds(Int.random(in: 0...3_000, using: &generator))
        await client.letGo(of: topic, for: time, isHasty: index.isMultiple(of: 8), deadline: deadline - ContinuousClock.now)
    }

    /// One founds a room, the next enters and leaves it: messages that run in a transaction, each twice at once at two fronts.
    private func visit(_ index: Int, until end: Ending) async {
        var generator = SeededGenerator(seed: settings.seed &* 104_729 &+ UInt64(index))
        let (host, guest) = (visitors[index], visitors[(index + 1) % visitors.count])
        var count = 0
        while !end.isOver {
            count += 1
            let room = "visit-\(index)-\(count)"
            await host.postTwice(.create(room: room), lane: 0, at: urls, deadline: deadline)
            await guest.postTwice(.join(room: room), lane: 1, at: urls, deadline: deadline)
            await guest.postTwice(.leave(room: room), lane: 1, at: urls, deadline: deadline)
            await pause(.milliseconds(Int.random(in: 0...2_000, using: &generator)))
        }
    }

    private func topics(of client: ChaosClient, _ index: Int) -> [String] {
        let rooms = settings.rooms(ofUser: index % settings.users).map { Topic.room(settings.room($0)).rawValue }
        return [Topic.everyone.rawValue, Topic.user(client.user).rawValue] + rooms
    }

    private func draft(_ index: Int, _ generator: inout SeededGenerator) -> Draft {
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<5: .everyone
        case 5..<25: .direct(to: settings.user(Int.random(in: 0..<settings.users, using: &generator)))
        default: .room(settings.room(settings.rooms(ofUser: index % settings.users).randomElement(using: &generator) ?? 0))
        }
    }

    /// Waits until every client has every topic up to its head, or until the time is over.
    func catchUp(to heads: [String: Int], until deadline: ContinuousClock.Instant) async {
        for client in clients { await Self.catchUp(client, to: heads, until: deadline) }
    }

    static func catchUp(_ client: ChaosClient, to heads: [String: Int], until deadline: ContinuousClock.Instant) async {
        while await client.lastSeqs.contains(where: { $0.value < heads[$0.key] ?? 0 }), ContinuousClock.now < deadline {
            await pause(.milliseconds(50))
        }
    }

    /// Ends all clients and takes their journals.
    func journals() async -> [ClientJournal] { await Self.journals(of: clients + visitors) }

    static func journals(of clients: [ChaosClient]) async -> [ClientJournal] {
        var journals: [ClientJournal] = []
        for client in clients {
            await client.close()
            journals.append(await client.journal)
        }
        return journals
    }
}
