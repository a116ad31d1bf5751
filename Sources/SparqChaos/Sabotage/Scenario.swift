import SparqPostgres
import SparqWire

/// The shortest life in which a sabotage shows, and nothing where there is none.
struct Scenario: Sendable {
    let kind: SabotageKind
    let stack: ChaosStack
    let pool: PostgresPool
    let tokens: [String: String]
    /// Makes names of clients unique over several scenarios against one database.
    let round: String

    /// Of its own, so that the directory knows nothing of it from before.
    private var room: String { "\(kind.rawValue)-\(round)" }
    private var topic: String { Topic.room(room).rawValue }
    private var lock: TopicLock { TopicLock(pool: pool, topic: topic) }

    func run() async throws -> Verdict {
        let community = Community(settings: LoadSettings(clients: 2), urls: await stack.messageURLs)
        for (type, user) in [("room.create", "user-0"), ("room.join", "user-1")] {
            try await community.enter(type, room, user, tokens[user], 0, .now + .seconds(30))
        }
        let clients =
            switch kind {
            case .ackBeforeCommit: try await workerDiesInItsCommit()
            case .noInbox: try await sameMessageTwice()
            case .noSequencer: try await repeatForAListener()
            case .directoryBeforeCommit: try await listenerComesDuringACommit()
            }
        let journals = await Load.journals(of: clients)
        return Checker.check(journals, against: try await DatabaseReader(pool: pool).contents())
    }

    /// A worker has a message in hand, so the front has its confirm; the sender is gone, so nobody sends it again.
    private func workerDiesInItsCommit() async throws -> [ChaosClient] {
        let sender = try await client("sender", user: 0, front: 0, topics: [])
        try await lock.hold {
            async let leaving: Void = sender.abandon(.room(room), isHandedOver: true)
            try await lock.awaitWaiting()
            await stack.kill(.worker, 0)
            try await lock.endWaiting()
            await leaving
        }
        try await stack.start(.worker, 0)
        try await stack.awaitReady(.worker, 0, within: .seconds(30))
        let token = await sender.journal.sent.first?.token ?? ""
        try await eventually(within: .seconds(8)) {
            try await DatabaseReader(pool: pool).contents().log[topic]?.contains { $0.token == token } ?? false
        }
        return [sender]
    }

    private func sameMessageTwice() async throws -> [ChaosClient] {
        let sender = try await client("sender", user: 0, front: 0)
        await sender.postTwice(.room(room), lane: 0, at: await stack.messageURLs, deadline: .now + .seconds(20))
        try await arrive([sender])
        return [sender]
    }

    /// A repeat publishes its events again; who listens must not notice.
    private func repeatForAListener() async throws -> [ChaosClient] {
        let sender = try await client("sender", user: 0, front: 0)
        let listener = try await client("listener", user: 1, front: 1)
        for _ in 0..<3 {
            await sender.postTwice(.room(room), lane: 0, at: await stack.messageURLs, deadline: .now + .seconds(20))
        }
        try await arrive([listener])
        await pause(.seconds(1))
        return [sender, listener]
    }

    /// Whoever subscribes after a commit began and before it ended gets its event, and nothing more has to be said for that.
    private func listenerComesDuringACommit() async throws -> [ChaosClient] {
        let sender = try await client("sender", user: 0, front: 0)
        let listener = ChaosClient(
            name: "\(kind.rawValue)-\(round)-listener",
            user: "user-1",
            token: tokens["user-1"] ?? "",
            urls: [await stack.socketURLs[1]],
            seed: 2
        )
        let (room, topic) = (room, topic)
        let sending = try await lock.hold {
            let sending = Task { await sender.send(.room(room), lane: 0, deadline: .seconds(20)) }
            try await lock.awaitWaiting()
            try await listener.open(topics: [topic], deadline: .seconds(5))
            // Its node has written itself into the directory and read the log, before the event is in it.
            try await eventually(within: .seconds(5)) {
                let rows = try await pool.run(Statement("SELECT node FROM directory WHERE topic = $1", topic))
                return try rows.map { try $0.decode(String.self) }.contains("chaos-front-2")
            }
            await pause(.milliseconds(500))
            return sending
        }
        _ = await sending.value
        try await arrive([listener])
        return [sender, listener]
    }

    // MARK: Help

    private func client(_ name: String, user: Int, front: Int, topics: [String]? = nil) async throws -> ChaosClient {
        let user = "user-\(user)"
        let url = await stack.socketURLs[front]
        let client = ChaosClient(name: "\(kind.rawValue)-\(round)-\(name)", user: user, token: tokens[user] ?? "", urls: [url], seed: 1)
        try await client.open(topics: topics ?? [topic], deadline: .seconds(20))
        return client
    }

    /// Gives events the time that they need at most; where some do not come, that is for the checker to say.
    private func arrive(_ clients: [ChaosClient]) async throws {
        let heads = try await DatabaseReader(pool: pool).heads()
        for client in clients { await Load.catchUp(client, to: heads, until: .now + .seconds(5)) }
    }

    private func eventually(within limit: Duration, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + limit
        while try await !condition(), ContinuousClock.now < deadline { await pause(.milliseconds(50)) }
    }
}
