public import SparqAMQP
public import SparqWire

/// Looks at the dead letters, and retries or drops them: for operators' tools.
///
/// Whatever dies at whatever moment, no letter is lost: it is taken without being acked, and the broker puts back what is not settled; a
/// retried one is acked after its copy is confirmed. Two copies are one effect where the message has an `id` (the inbox).
/// What is reported as settled is removed from the queue for good.
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

    /// The queue, with nothing taken from it yet.
    var box: LetterBox { LetterBox(session: session, names: names) }

    /// The letters, the oldest first; they stay where they are.
    /// - Throws: ``DeadLettersError``, `AMQPError`.
    public func list() async throws -> [DeadLetter] {
        var box = box
        let taken = try await box.take(limit)
        try await box.putBack()
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

    /// Sends letters back to the workers of their lane, as messages that were never tried.
    /// - Throws: ``DeadLettersError``, `AMQPError`.
    public func retry(_ selection: Selection) async throws -> Outcome {
        // All are taken before the first is sent: one that fails again meanwhile is a new letter, and not among them.
        try await settle(selection) { letter, earlier throws(AMQPError) in
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
        obstacle: (DeadLetter, Set<String>) async throws(AMQPError) -> String?
    ) async throws -> Outcome {
        var box = box
        let taken = try await box.take(limit)
        var outcome = Outcome()
        do throws(AMQPError) {
            var ids: Set<String> = []
            for item in taken where selection.contains(item.letter) {
                if let obstacle = try await obstacle(item.letter, ids) {
                    outcome.kept.append((item.letter, obstacle))
                } else {
                    ids.insert(item.letter.id)
                    outcome.settled += try await box.remove(item)
                }
            }
            outcome.settled += try await box.confirmRemovals()
            try await box.putBack()
        } catch {
            outcome.unconfirmed = box.unconfirmed
            outcome.failure = error
        }
        if case .id(let id) = selection, outcome == Outcome() { throw notFound(id, among: taken.count) }
        return outcome
    }

    /// Publishes a copy for the workers and waits for the confirm; what keeps it from that, or `nil`.
    func publish(_ letter: DeadLetter) async throws(AMQPError) -> String? {
        // They come in a crowd, and nobody sends them again: they wait where there is no room.
        let message = AMQPMessage(
            body: letter.retryBody,
            contentType: NDJSON.contentType,
            headers: [BrokerHeaders.unawaited: true]
        )
        let lane = letter.lane ?? ""
        do throws(AMQPError) {
            switch try await session.publish(message, exchange: names.inbound, routingKey: lane, mandatory: true) {
            case .confirmed: return nil
            case .returned: return "no worker has ever served its lane \"\(lane)\" here"
            }
        } catch {
            guard error.code == .nacked else { throw error }
            return error.message
        }
    }

    private func notFound(_ id: String, among count: Int) -> DeadLettersError {
        let more = count == limit ? "; there may be more than the limit of \(limit)" : ""
        return DeadLettersError(.notFound, "None of the \(count) dead letters is \"\(id)\"\(more).")
    }
}

extension DeadLetters {
    /// What became of the letters that were meant.
    public struct Outcome: Sendable, Equatable {
        /// Retried or dropped. The broker has confirmed that they lie in the queue no more.
        public var settled: [DeadLetter] = []
        /// Still in the queue, and why.
        public var kept: [(letter: DeadLetter, obstacle: String)] = []
        /// To be removed when the broker was lost, so nobody knows: they may lie in the queue still. Copies of retried ones are with the workers.
        public var unconfirmed: [DeadLetter] = []
        /// What broke it off. Letters that are named nowhere had no turn yet, and are in the queue.
        public var failure: AMQPError?

        /// Compares all parts.
        public static func == (left: Outcome, right: Outcome) -> Bool {
            left.settled == right.settled && left.kept.elementsEqual(right.kept) { $0 == $1 }
                && left.unconfirmed == right.unconfirmed && left.failure == right.failure
        }
    }
}

/// The queue of dead letters cannot be used as asked.
public struct DeadLettersError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure. New kinds may be added.
    public struct Code: Sendable, Hashable {
        private enum Kind { case noQueue, notFound }
        private let kind: Kind
        private init(_ kind: Kind) { self.kind = kind }

        /// No worker has declared the queue on this broker.
        public static let noQueue = Code(.noQueue)
        /// None of the letters that were looked at is the one.
        public static let notFound = Code(.notFound)
    }

    /// The kind of failure.
    public let code: Code
    /// One sentence for people.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
