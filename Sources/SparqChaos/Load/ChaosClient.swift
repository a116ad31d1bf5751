import Logging
import SparqClient

/// A client of the library that writes down what it does and sees. It can go away and come back with its cursors.
actor ChaosClient {
    nonisolated let name: String
    nonisolated let user: String
    private let token: String
    private let urls: [String]
    private(set) var journal: ClientJournal
    private var client: SparqClient?
    private var running: Task<Void, Never>?
    private var reading: Task<Void, Never>?
    private var life = 0
    private var count = 0
    private var topics: [String] = []
    private var generator: SeededGenerator

    init(name: String, user: String, token: String, urls: [String], seed: UInt64) {
        self.name = name
        self.user = user
        self.token = token
        self.urls = urls
        journal = ClientJournal(client: name)
        generator = SeededGenerator(seed: seed)
    }

    // MARK: Lives

    /// Connects and subscribes: from now on at first, from its cursors later.
    func open(topics: [String], deadline: Duration) async throws {
        self.topics = topics
        life += 1
        var configuration = ClientConfiguration(urls: urls.shuffled(using: &generator), token: token)
        configuration.seed = generator.next()
        configuration.idPrefix = "\(name).\(life)."
        configuration.backoffCapMilliseconds = 2_000
        let client = try SparqClient(configuration: configuration, logger: Logger(label: name, factory: { _ in SwiftLogNoOpLogHandler() }))
        self.client = client
        running = Task {
            do { try await client.run() } catch { note(error: "\(error)") }
        }
        reading = Task {
            for await event in client.events { note(event) }
        }
        var wanted: [String: Int?] = [:]
        for topic in topics { wanted.updateValue(journal.lastSeq(topic), forKey: topic) }
        for (topic, outcome) in try await client.subscribe(wanted, deadline: deadline) {
            switch outcome {
            case .subscribed(let seq): if journal.subscribedAt[topic] == nil { journal.subscribedAt[topic] = seq }
            case .refused(let code): note(error: "\(topic) refused: \(code)")
            }
        }
    }

    /// Ends this life; all that had arrived is in the journal afterwards.
    func close() async {
        guard let client else { return }
        self.client = nil
        await client.close()
        await running?.value
        await reading?.value
        let counters = await client.counters
        journal.repeated += counters.repeated
        journal.connections += counters.connections
        journal.resent += counters.resent
        if counters.malformed > 0 { note(error: "\(counters.malformed) frames that cannot be read") }
    }

    /// A new life somewhere else.
    func reopen(deadline: Duration) async throws {
        await close()
        try await open(topics: topics, deadline: deadline)
    }

    func breakOff() async { await client?.breakOff() }

    var isOpen: Bool { client != nil }
    var lastSeqs: [String: Int] { Dictionary(uniqueKeysWithValues: topics.map { ($0, journal.lastSeq($0) ?? 0) }) }

    // MARK: Messages

    /// Notes a message, sends it by `body`, and notes what became of it. Returns whether it was accepted.
    @discardableResult
    func send(_ draft: Draft, lane: Int, deadline: Duration) async -> Bool {
        guard let client else { return false }
        let (index, token) = note(draft, lane: lane)
        do {
            _ = try await client.send(draft.type, draft.fields(token: token), deadline: deadline)
            journal.sent[index].outcome = .accepted
            return true
        } catch {
            switch error.code {
            case .closed, .cancelled: journal.sent[index].outcome = .abandoned
            case .refused: journal.sent[index].outcome = .refused("\(error)")
            default: break
            }
            return false
        }
    }

    /// Sends a message and leaves before it can have an answer.
    /// - Parameter isHandedOver: the front certainly has the broker's confirm for it by then: it must take effect.
    func abandon(_ draft: Draft, isHandedOver: Bool) async {
        guard let client else { return }
        let (index, token) = note(draft, lane: 0)
        let sending = Task { _ = try? await client.send(draft.type, draft.fields(token: token), deadline: .seconds(5)) }
        journal.sent[index].outcome = isHandedOver ? .accepted : .abandoned
        await pause(.milliseconds(300))
        sending.cancel()
        await close()
    }

    /// Posts a message twice under one id, to two fronts at once, each until it has its answer.
    func postTwice(_ draft: Draft, lane: Int, at urls: [String], deadline: ContinuousClock.Instant) async {
        let (index, token) = note(draft, lane: lane)
        let body = draft.json(id: token, token: token)
        let poster = Poster(token: self.token, deadline: deadline)
        async let first = poster.post(body, at: urls)
        async let second = poster.post(body, at: urls.reversed())
        let answers = await [first, second]
        if answers.allSatisfy({ $0 == .accepted }) {
            journal.sent[index].outcome = .accepted
        } else if let other = answers.first(where: { $0 != .accepted }) {
            journal.sent[index].outcome = other
        }
    }

    private func note(_ draft: Draft, lane: Int) -> (index: Int, token: String) {
        count += 1
        let token = "\(name)/\(count)"
        journal.sent.append(SentMessage(token: token, topics: draft.topics(from: user), lane: lane))
        return (journal.sent.count - 1, token)
    }

    // MARK: Events

    private func note(_ event: ClientEvent) {
        switch event {
        case .event(let event):
            guard let topic = event.topic, let seq = event.seq else { return }
            journal.seen[topic, default: []].append(SeenEvent(seq: seq, token: EventText.token(in: event.bytes)))
        case .truncated(let topic, let after, let first): note(error: "\(topic) truncated from \(after) to \(first)")
        case .lost(let topic, let reason): note(error: "\(topic) lost: \(reason)")
        case .connected, .disconnected, .gap: break
        }
    }

    private func note(error: String) { journal.errors.append(error) }
}
