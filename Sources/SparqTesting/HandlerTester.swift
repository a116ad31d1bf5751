public import Sparq

/// Sends messages to a router's handlers without any server, and shows what they answer.
///
/// ```swift
/// let tester = HandlerTester(router)
/// let outcome = try await tester.send("room.send", #"{"room":"lobby","text":"hi"}"#, user: "alice")
/// #expect(try outcome.appended == [AppendedEvent(topic: Topic(rawValue: "room:lobby"), type: "room.message", data: …)])
/// ```
public struct HandlerTester: Sendable {
    private let router: Router
    private let database: PostgresPool?

    /// A tester of the router's handlers.
    ///
    /// - Parameters:
    ///   - router: Has the handlers.
    ///   - database: For handlers that read or write. Without it those fail with `DatabaseMissing`.
    public init(_ router: Router, database: PostgresPool? = nil) {
        self.router = router
        self.database = database
    }

    /// Sends a message. What an `onTransaction` handler wrote is committed when it agreed, and rolled back when it refused.
    ///
    /// - Parameters:
    ///   - type: The message's type.
    ///   - json: The message; `type` and `id` may be left out.
    ///   - user: Who sends it; `nil` for somebody anonymous.
    ///   - connection: The connection that it comes from.
    ///   - address: Where it comes from; `nil` where no front knows.
    ///   - id: The client's `id` of it.
    ///   - time: When a front received it: milliseconds since the Unix epoch.
    ///   - attempt: Which attempt it is, counted from 1.
    /// - Throws: What the handler throws, but for refusals.
    public func send(
        _ type: String,
        _ json: String = "{}",
        user: String? = nil,
        connection: String? = "connection",
        address: String? = nil,
        id: String? = "id",
        time: Int = 0,
        attempt: Int = 1
    ) async throws -> Outcome {
        let context = Context(
            userID: user,
            connection: connection,
            address: address,
            node: "node",
            type: type,
            messageID: id,
            time: time,
            attempt: attempt,
            database: database ?? NoDatabase()
        )
        let bytes = Array(json.utf8)[...]
        switch try await router.run(type, json: bytes, context: context) {
        case .effects(let effects): return .effects(effects)
        case .refused(let refusal): return .refused(refusal)
        case .needsTransaction: return try await commit(type, bytes, context)
        }
    }

    /// Asks the policy of the topic's kind. `nil` means yes.
    public func subscribe(to topic: Topic, user: String? = nil) async throws -> Refusal? {
        let context = Context(
            userID: user,
            connection: "connection",
            node: "node",
            type: SubscribeMessage.type,
            messageID: "id",
            time: 0,
            attempt: 1,
            database: database ?? NoDatabase()
        )
        return try await router.refusal(of: topic, context: context)
    }

    private func commit(_ type: String, _ json: ArraySlice<UInt8>, _ context: Context) async throws -> Outcome {
        guard let database else { throw DatabaseMissing() }
        do {
            return .effects(
                try await database.transaction { transaction in
                    try await router.run(type, json: json, context: context, transaction: transaction)
                }
            )
        } catch let refusal as Refusal {
            return .refused(refusal)
        }
    }
}
