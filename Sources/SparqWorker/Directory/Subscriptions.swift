import SparqPostgres
import SparqStore
import SparqWire

/// The built-in types `subscribe` and `unsubscribe` (docs/PROTOCOL.md, "Topics").
final class Subscriptions: Sendable {
    /// Runs a policy, which has so much time.
    typealias Limit = @Sendable (_ policy: () async throws -> Refusal?) async throws -> Refusal?

    private let router: Router
    /// For what Sparq asks by itself.
    private let database: PostgresPool
    private let heads: BatchLoader<String, Int>

    init(router: Router, database: PostgresPool) {
        self.router = router
        self.database = database
        heads = BatchLoader { topics, database in
            var heads: [String: Int] = [:]
            for row in try await database.run(DirectoryStore.heads(ofTopics: topics)) {
                let (topic, seq) = try DirectoryStore.head(row)
                heads[topic] = seq
            }
            return heads
        }
    }

    /// What a message of these types comes to.
    func message(_ envelope: Envelope, context: Context, retry: DatabaseRetry, limit: @escaping Limit) async throws -> CommittedMessage {
        let isSubscribe = envelope.type == SubscribeMessage.type
        do {
            guard let connection = envelope.connection, envelope.user != nil else { throw Refusal(.unauthenticated, "Log in first.") }
            return isSubscribe
                ? try await subscribe(envelope, connection, context, retry, limit) : try unsubscribe(envelope, connection)
        } catch let refusal as Refusal {
            return CommittedMessage(envelope, refusal: refusal)
        }
    }

    private func subscribe(
        _ envelope: Envelope,
        _ connection: String,
        _ context: Context,
        _ retry: DatabaseRetry,
        _ limit: @escaping Limit
    ) async throws -> CommittedMessage {
        let request = try MessageDecoder.decode(SubscribeMessage.self, from: envelope.message)
        try Self.check(count: request.topics.count)
        let topics = request.topics.sorted { $0.key < $1.key }
        let answers: [TopicAnswer]
        if topics.count == 1, let (name, cursor) = topics.first {
            answers = [try await retry { try await self.answer(name, cursor, context, limit) }]
        } else {
            // Concurrently, so that loaders gather what the policies ask for.
            answers = try await withThrowingTaskGroup(of: (Int, TopicAnswer).self) { group in
                for (index, (name, cursor)) in topics.enumerated() {
                    group.addTask { (index, try await retry { try await self.answer(name, cursor, context, limit) }) }
                }
                var answers: [(Int, TopicAnswer)] = []
                for try await answer in group { answers.append(answer) }
                return answers.sorted { $0.0 < $1.0 }.map(\.1)
            }
        }
        var rest = MessageRest(envelope)
        let grants = answers.compactMap(\.grant)
        if !grants.isEmpty { rest.instructions = [.subscribe(connection: connection, ordinal: envelope.ordinal, grants: grants)] }
        rest.reply = ReplyBody.success(id: envelope.id, data: Self.data(of: answers))
        return CommittedMessage(rest)
    }

    private func unsubscribe(_ envelope: Envelope, _ connection: String) throws -> CommittedMessage {
        let request = try MessageDecoder.decode(UnsubscribeMessage.self, from: envelope.message)
        try Self.check(count: request.topics.count)
        var rest = MessageRest(envelope)
        let topics = Set(request.topics).sorted()
        rest.instructions = [.unsubscribe(.connection(connection), ordinal: envelope.ordinal, topics: topics)]
        if envelope.id != nil { rest.reply = ReplyBody.success(id: envelope.id, data: nil) }
        return CommittedMessage(rest)
    }

    private func answer(_ name: String, _ cursor: SubscribeMessage.Cursor, _ context: Context, _ limit: Limit) async throws -> TopicAnswer {
        let topic = Topic(rawValue: name)
        guard topic.isValid else {
            let rule = "A topic has 1 to \(Topic.nameLimit) bytes, no control characters, and is in Unicode's form NFC."
            return TopicAnswer(name: name, refusal: Refusal(.invalidFields, rule))
        }
        let refusal = try await limit { try await router.refusal(of: topic, context: context) }
        if let refusal { return TopicAnswer(name: name, refusal: refusal) }
        let head = try await OwnStatementRefused.marked { try await heads.load(name, context.asking(database)) } ?? 0
        switch cursor {
        case .now: return TopicAnswer(name: name, grant: Grant(topic: name, cursor: head, head: head))
        case .after(let seq) where (0...head).contains(seq):
            return TopicAnswer(name: name, grant: Grant(topic: name, cursor: seq, head: head))
        case .after, .malformed:
            return TopicAnswer(
                name: name,
                refusal: Refusal(.invalidCursor, "A cursor is null or a whole number from 0 to the topic's last one, which is \(head).")
            )
        }
    }

    private static func check(count: Int) throws {
        guard count <= Topic.messageLimit else {
            throw Refusal(.tooManyTopics, "One message names \(Topic.messageLimit) topics at most.")
        }
    }

    private static func data(of answers: [TopicAnswer]) -> ArraySlice<UInt8> {
        var data = SubscribeReply.Writer(topics: answers.count)
        for answer in answers {
            if let grant = answer.grant {
                data.add(answer.name, .subscribed(seq: grant.head))
            } else if let refusal = answer.refusal {
                data.add(answer.name, .refused(ErrorBody(refusal)))
            }
        }
        return data.finish()
    }
}

/// What a subscriber is told about one topic.
private struct TopicAnswer: Sendable {
    var name: String
    var grant: Grant?
    var refusal: Refusal?
}
