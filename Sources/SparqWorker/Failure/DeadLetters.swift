public import AMQP
public import SparqProtocol

/// Looks at the dead letters, and retries or drops them: for operators' tools.
///
/// Whatever dies at whatever moment, no letter is lost: it is taken without being acked, and the broker puts back what is not settled; a
/// retried one is acked after its copy is confirmed. Two copies are one effect where the message has an `id` (the inbox).
/// While one tool looks, the letters that it holds are out of sight of others.
public struct DeadLetters: Sendable {
    /// Which letters are meant.
    public enum Selection: Sendable, Equatable {
        /// All that are looked at.
        case all
        /// One, with all its copies.
        case id(String)

        func contains(_ letter: DeadLetter) -> Bool {
            switch self {
            case .all: true
            case .id(let id): letter.id == id
            }
        }
    }

    /// What became of the letters that were meant.
    public struct Outcome: Sendable, Equatable {
        /// Retried or dropped; they lie in the queue no more.
        public var settled: [DeadLetter] = []
        /// Still in the queue, and why.
        public var kept: [(letter: DeadLetter, obstacle: String)] = []

        /// Compares all parts.
        public static func == (left: Outcome, right: Outcome) -> Bool {
            left.settled == right.settled && left.kept.elementsEqual(right.kept) { $0 == $1 }
        }
    }

    struct Taken: Sendable {
        var tag: DeliveryTag
        var letter: DeadLetter
    }

    private let session: AMQPSession
    private let names: BrokerNames
    private let limit: Int

    /// - Parameters:
    ///   - session: Used by nobody else meanwhile.
    ///   - limit: How many letters are looked at, the oldest first; so many are in memory at once.
    public init(session: AMQPSession, names: BrokerNames, limit: Int = 1000) {
        self.session = session
        self.names = names
        self.limit = limit
    }

    /// The letters, the oldest first; they stay where they are.
    /// - Throws: ``DeadLettersError``, `AMQPError`.
    public func list() async throws -> [DeadLetter] {
        let taken = try await take()
        try await putBack(taken)
        return taken.map(\.letter)
    }

    /// The letter with an id, or with a number in the list, counted from 1.
    /// - Throws: ``DeadLettersError``, `AMQPError`.
    public func find(_ idOrNumber: String) async throws -> DeadLetter {
        let letters = try await list()
        if let letter = letters.first(where: { $0.id == idOrNumber }) { return letter }
        guard let number = Int(idOrNumber), letters.indices.contains(number - 1) else { throw notFound(idOrNumber, among: letters.count) }
        return letters[number - 1]
    }

    /// Sends letters back to the workers of their pool, as messages that were never tried.
    /// - Throws: ``DeadLettersError``, `AMQPError`.
    public func retry(_ selection: Selection) async throws -> Outcome {
        // All are taken before the first is sent: one that fails again meanwhile is a new letter, and not among them.
        try await settle(selection) { letter, earlier in
            if let obstacle = letter.obstacle { return obstacle }
            // A worker that died between burying and acking left two.
            if earlier.contains(letter.id) { return nil }
            return try await publish(letter)
        }
    }

    /// Removes letters for good.
    /// - Throws: ``DeadLettersError``, `AMQPError`.
    public func drop(_ selection: Selection) async throws -> Outcome {
        try await settle(selection) { _, _ in nil }
    }

    /// - Parameter obstacle: What keeps a letter in the queue; `nil` lets it go. Knows the ids of those that went.
    private func settle(
        _ selection: Selection,
        obstacle: (DeadLetter, Set<String>) async throws -> String?
    ) async throws -> Outcome {
        var outcome = Outcome()
        var ids: Set<String> = []
        var rest: [Taken] = []
        let taken = try await take()
        for item in taken {
            guard selection.contains(item.letter) else {
                rest.append(item)
                continue
            }
            if let obstacle = try await obstacle(item.letter, ids) {
                outcome.kept.append((item.letter, obstacle))
                rest.append(item)
            } else {
                try await session.ack(item.tag)
                ids.insert(item.letter.id)
                outcome.settled.append(item.letter)
            }
        }
        try await putBack(rest)
        if case .id(let id) = selection, outcome == Outcome() { throw notFound(id, among: taken.count) }
        return outcome
    }

    /// Takes letters until there is none left, or the limit is reached. They are the broker's until they are acked.
    func take() async throws -> [Taken] {
        _ = try await readyCount()
        var taken: [Taken] = []
        while taken.count < limit, let delivery = try await session.get(queue: names.dead) {
            taken.append(Taken(tag: delivery.tag, letter: DeadLetter(delivery.message, names: names)))
        }
        return taken
    }

    /// Publishes a copy for the workers and waits for the confirm; what keeps it from that, or `nil`.
    func publish(_ letter: DeadLetter) async throws -> String? {
        let message = AMQPMessage(body: letter.retryBody, contentType: NDJSON.contentType)
        let pool = letter.pool ?? ""
        switch try await session.publish(message, exchange: names.inbound, routingKey: pool, mandatory: true) {
        case .confirmed: return nil
        case .returned: return "no worker has ever served its pool \"\(pool)\" here"
        }
    }

    /// In their order: the broker delivers what came back before what it never delivered, first come first served. So a look at all of
    /// them keeps the order, and one that its limit cuts short puts its letters behind others that came back earlier.
    private func putBack(_ taken: [Taken]) async throws {
        let ready = try await readyCount()
        for (index, item) in taken.enumerated() {
            try await session.reject(item.tag, requeue: true)
            // Beyond 32 unanswered commands to a quorum queue the broker's channel gathers them, and turns their order round.
            if (index + 1).isMultiple(of: 16) || index + 1 == taken.count { try await awaitReady(ready + index + 1) }
        }
    }

    /// Settling has no answer: looks until so many letters are ready. Not for ever, as others may take some meanwhile.
    private func awaitReady(_ count: Int) async throws {
        for _ in 0..<200 {
            if try await readyCount() >= count { return }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private func readyCount() async throws -> Int {
        do throws(AMQPError) {
            return try await session.inspect(queue: names.dead).messageCount
        } catch {
            guard error.replyCode == 404 else { throw error }
            throw DeadLettersError(.noQueue, "There is no queue \"\(names.dead)\" on this broker: no worker has run with this prefix yet.")
        }
    }

    private func notFound(_ id: String, among count: Int) -> DeadLettersError {
        let more = count == limit ? "; there may be more than the limit of \(limit)" : ""
        return DeadLettersError(.notFound, "None of the \(count) dead letters is \"\(id)\"\(more).")
    }
}
