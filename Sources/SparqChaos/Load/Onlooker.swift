import Logging
import SparqClient

/// A client that does nothing but watch who is there. Events of that may be lost on the way, so it asks after each reconnect.
actor Onlooker {
    private struct Answer: Decodable { var presence: [PresenceJournal.Word] }

    private let users: [String]
    private let client: SparqClient
    private var journal = PresenceJournal()
    private var running: Task<Void, Never>?
    private var reading: Task<Void, Never>?

    init(of users: [String], token: String, sockets: [String], seed: UInt64) throws {
        self.users = users
        var configuration = ClientConfiguration(urls: sockets, token: token)
        configuration.seed = seed
        configuration.backoffCapMilliseconds = 2_000
        let logger = Logger(label: "onlooker", factory: { _ in SwiftLogNoOpLogHandler() })
        client = try SparqClient(configuration: configuration, logger: logger)
    }

    func open() async throws {
        let client = client
        running = Task { try? await client.run() }
        reading = Task {
            for await event in client.events { note(event) }
        }
        let topics: [String: Int?] = Dictionary(uniqueKeysWithValues: users.map { ("presence:\($0)", nil) })
        _ = try await client.subscribe(topics, deadline: .seconds(60))
        ask()
    }

    /// Waits until all are thought to be there, or away; returns those who are not when the time is over.
    func others(than isOnline: Bool, until deadline: ContinuousClock.Instant) async -> [String] {
        while true {
            let others = journal.others(users, than: isOnline)
            if others.isEmpty || ContinuousClock.now >= deadline { return others }
            await pause(.milliseconds(50))
        }
    }

    func close() async {
        await client.close()
        await running?.value
        await reading?.value
    }

    private func note(_ event: ClientEvent) {
        switch event {
        case .connected: ask()
        case .event(let event) where event.type == "presence.changed":
            if let word = try? event.decode(PresenceJournal.Word.self) { journal.note(word) }
        default: break
        }
    }

    /// When the subscriptions stand, as what is answered behind them tells: who comes or goes after that is heard of.
    private func ask() {
        Task {
            guard (try? await client.send("who", [String: String](), deadline: .seconds(60))) != nil else { return }
            guard let reply = try? await client.send("presence.get", ["users": users], deadline: .seconds(60)) else { return }
            for word in (try? reply.decode(Answer.self))?.presence ?? [] { journal.note(word) }
        }
    }
}
