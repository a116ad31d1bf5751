import Logging
import PlainHTTP
import SparqClient
import SparqWire

/// A client of the library that writes down what it does and sees. It can go away and come back with its cursors.
actor ChaosClient {
    nonisolated let name: String
    nonisolated let user: String
    private let token: String
    nonisolated let urls: [String]
    private(set) var journal: ClientJournal
    private var client: SparqClient?
    private var running: Task<Void, Never>?
    private var reading: Task<Void, Never>?
    private var life = 0
    private var count = 0
    private var topics: [String] = []
    /// The topics whose events may come.
    private var invited: Set<String> = []
    /// Durable events of this life that are in the journal.
    private var noted = 0
    private var cancelled = 0
    private let backoffCap: Int
    private var generator: SeededGenerator

    init(name: String, user: String, token: String, urls: [String], seed: UInt64, backoffCap: Int = 2_000) {
        self.name = name
        self.user = user
        self.token = token
        self.urls = urls
        self.backoffCap = backoffCap
        journal = ClientJournal(client: name)
        generator = SeededGenerator(seed: seed)
    }

    // MARK: Lives

    /// Connects and subscribes: from now on at first, from its cursors later.
    func open(topics: [String], deadline: Duration) async throws {
        self.topics = topics
        // To the first two the server subscribes everybody.
        invited = Set(topics).union([Topic.everyone.rawValue, Topic.user(user).rawValue])
        (noted, cancelled) = (0, 0)
        life += 1
        var configuration = ClientConfiguration(urls: urls.shuffled(using: &generator), token: token)
        configuration.seed = generator.next()
        configuration.idPrefix = "\(name).\(life)."
        configuration.backoffCapMilliseconds = backoffCap
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
        journal.inverted += counters.inverted
        journal.early += counters.early
        journal.passing += counters.passing
        journal.unannounced += counters.unannounced
        // A message that is written again after a passing error may get the first writing's answer, and then its own.
        journal.strayReplies += max(0, counters.strayReplies - counters.passing - cancelled)
        if counters.malformed > 0 { note(error: "\(counters.malformed) frames that cannot be read") }
    }

    /// A new life somewhere else.
    func reopen(deadline: Duration) async throws {
        await close()
        try await open(topics: topics, deadline: deadline)
    }

    func breakOff() async { await client?.breakOff() }

    /// Lets go of a topic for a while, and takes it again behind what it has seen: nothing may be missed or doubled between.
    /// - Parameter isHasty: without waiting until the server has heard of the first.
    func letGo(of topic: String, for duration: Duration, isHasty: Bool, deadline: Duration) async {
        guard let client, journal.subscribedAt[topic] != nil else { return }
        await client.unsubscribe([topic])
        // What was handed on before is still on its way into the journal.
        let handedOn = await client.counters.events
        while noted < handedOn, isOpen { await pause(.milliseconds(5)) }
        if isHasty {
            journal.isHasty = true
        } else {
            // Whatever has its answer comes after all that was sent before it.
            _ = try? await client.send("room.list", [String: String](), deadline: deadline)
        }
        guard isOpen else { return }
        invited.remove(topic)
        await pause(duration)
        invited.insert(topic)
        do {
            let outcomes = try await client.subscribe([topic: journal.lastSeq(topic)], deadline: deadline)
            if case .refused(let code)? = outcomes[topic] { note(error: "\(topic) refused: \(code)") }
            journal.returns += 1
        } catch {
            note(error: "\(topic) not taken again: \(error)")
        }
    }

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
        cancelled += 1
        await close()
    }

    /// Posts a message twice under one id, to two fronts at once, each until it has its answer.
    func postTwice(_ draft: Draft, lane: Int, at urls: [String], deadline: ContinuousClock.Instant) async {
        let (index, token) = note(draft, lane: lane)
        let body = draft.json(id: token, token: token)
        let poster = Poster(token: self.token, deadline: deadline)
        async let first = poster.post(body, at: urls)
        async let second = poster.post(body, at: urls.reversed())
        let postings = await [first, second]
        journal.sent[index].outcome = postings.map(\.outcome).first { $0 != .accepted } ?? .accepted
        journal.brokenRequests += postings.flatMap(\.troubles)
        if let first = postings[0].answer, let second = postings[1].answer, let difference = Replies.difference(first.body, second.body) {
            journal.otherReplies.append("\(token): \(difference)")
        }
    }

    private func note(_ draft: Draft, lane: Int) -> (index: Int, token: String) {
        count += 1
        let token = draft.token(from: user) ?? "\(name)/\(count)"
        journal.sent.append(SentMessage(token: token, topics: draft.topics(from: user), lane: lane))
        return (journal.sent.count - 1, token)
    }

    // MARK: Events

    private func note(_ event: ClientEvent) {
        switch event {
        case .event(let event):
            guard let topic = event.topic, let seq = event.seq else { return }
            noted += 1
            guard invited.contains(topic) else { return journal.uninvited.append("\(topic) \(seq)") }
            journal.seen[topic, default: []].append(SeenEvent(seq: seq, token: EventText.token(in: event.bytes, type: event.type)))
        case .truncated(let topic, let after, let first): note(error: "\(topic) truncated from \(after) to \(first)")
        case .lost(let topic, let reason): note(error: "\(topic) lost: \(reason)")
        case .connected, .disconnected, .gap: break
        }
    }

    private func note(error: String) { journal.errors.append(error) }
}
