public import SparqPostgres
public import SparqWire

/// Which handler serves which type of message.
///
/// ```swift
/// router.on("room.send", SendToRoom.self) { message, context in
///     [.append(to: Topic(rawValue: "room:\(message.room)"), RoomMessage(from: context.user, text: message.text)), .reply(Sent())]
/// }
/// ```
///
/// A handler that throws ``Refusal`` answers the client with its code; ``TransientFailure`` tries again later; trouble with the database
/// is waited out; a value that the database cannot hold (text with U+0000, a number out of range) is answered `invalid_fields`; any other error is
/// logged, the client gets `internal`, and the message lies among the dead letters. A handler that does not end in its time counts as failed in
/// passing: its task is cancelled, and the message is tried again later.
/// Registering a type twice replaces the handler.
public struct Router: Sendable {
    /// A handler of `$connect` and `$disconnect`.
    public typealias ConnectionHandler = @Sendable (Context) async throws -> [Effect]
    /// Says no by throwing ``Refusal``.
    public typealias SubscriptionPolicy = @Sendable (Topic, Context) async throws -> Void
    /// Runs when a node's lease ran out, in the transaction that removes the node.
    public typealias NodeLossHandler = @Sendable (_ node: String, Context, PostgresTransaction) async throws -> [Effect]

    /// Runs when users may have come or gone.
    public typealias PresenceHandler = @Sendable (Presence, Context) async throws -> [Effect]

    package private(set) var handlers: [String: Handler] = [:]
    package private(set) var policies: [Substring: SubscriptionPolicy] = [:]
    package private(set) var nodeLossHandler: NodeLossHandler?

    /// A router without handlers.
    public init() {}

    /// Serves a type with a function from message and context to effects. ``RawMessage`` as the type leaves the bytes as they are.
    ///
    /// - Parameter isSecret: Its messages carry passwords or the like: when one fails for good, neither its fields nor what its error says
    ///   reach the dead letters or the log, and so it cannot be retried from there.
    /// - Parameter timeLimit: How long one run may take; `nil` means ``WorkerConfiguration/handlerTimeLimit``.
    public mutating func on<Message: Decodable & Sendable>(
        _ type: String,
        _: Message.Type,
        access: Access = .user,
        isSecret: Bool = false,
        timeLimit: Duration? = nil,
        _ handler: @escaping @Sendable (Message, Context) async throws -> [Effect]
    ) {
        handlers[type] = Handler(
            access: access,
            isSecret: isSecret,
            timeLimit: timeLimit,
            body: .effects { json, context in try await handler(try MessageDecoder.fields(Message.self, from: json), context) }
        )
    }

    /// Serves a type with a function that runs its own SQL, in the same transaction as the note that the message took effect. It commits
    /// alone, so it costs more than `on`. It may run more than once (after a serialization failure or a deadlock, for example): all
    /// that it does must go through the transaction or be effects. Few run at once, and few may wait for that: further messages are answered
    /// `unavailable`. `isSecret` and `timeLimit` are as for ``on(_:_:access:isSecret:timeLimit:_:)``.
    public mutating func onTransaction<Message: Decodable & Sendable>(
        _ type: String,
        _: Message.Type,
        access: Access = .user,
        isSecret: Bool = false,
        timeLimit: Duration? = nil,
        _ handler: @escaping @Sendable (Message, Context, PostgresTransaction) async throws -> [Effect]
    ) {
        handlers[type] = Handler(
            access: access,
            isSecret: isSecret,
            timeLimit: timeLimit,
            body: .transaction { json, context, transaction in
                try await handler(try MessageDecoder.fields(Message.self, from: json), context, transaction)
            }
        )
    }

    /// Whether messages of a type carry secrets.
    package func isSecret(_ type: String) -> Bool { handlers[type]?.isSecret ?? false }

    /// How long a run of a type's handler may take; `nil` where it has no limit of its own.
    package func timeLimit(of type: String) -> Duration? { handlers[type]?.timeLimit }

    /// Runs when a connection opens; a ``Refusal`` closes it. Without a handler every connection is welcome.
    ///
    /// It may run again, or when the connection is gone already. Its events then take effect no more, as long as ``onDisconnect(_:)`` has effects
    /// that others hear of.
    public mutating func onConnect(_ handler: @escaping ConnectionHandler) {
        handlers[SystemType.connect] = Handler(access: .anyone, body: .effects { _, context in try await handler(context) })
    }

    /// Runs when a connection is gone, but for those of a node that died: see ``onNodeLost(_:)``.
    public mutating func onDisconnect(_ handler: @escaping ConnectionHandler) {
        handlers[SystemType.disconnect] = Handler(access: .anyone, body: .effects { _, context in try await handler(context) })
    }

    /// Decides who may subscribe to topics of a kind, the part of the name before the first colon. Topics of a kind without a policy are
    /// refused as `forbidden`.
    public mutating func onSubscribe(kind: String, _ policy: @escaping SubscriptionPolicy) {
        policies[Substring(kind)] = policy
    }

    /// Runs when a node's lease ran out: on one worker, in the transaction that removes the node, again a little later if that fails. When it has
    /// failed three times the node is removed without it.
    public mutating func onNodeLost(_ handler: @escaping NodeLossHandler) {
        nodeLossHandler = handler
    }

    /// Runs after a user's connections came to a node, or the last of them there went, however they went: closed, or with a node that died; and
    /// after a node joined the topic `presence:<user>`, so that what is published to it reaches whoever came too late for the last word. It is
    /// told how things are when it runs, and may run again while nothing has changed. It has no user and no connection of its own:
    /// ``Effect/publish(to:_:)`` is its effect. For the router of the default lane. Many users come in one message, so one for whom it throws loses
    /// the words on the others.
    public mutating func onPresence(_ handler: @escaping PresenceHandler) {
        handlers[SystemType.presence] = Handler(
            access: .anyone,
            body: .effects { json, context in
                let users = try MessageDecoder.decode(PresenceRequest.self, from: json).users
                var effects: [Effect] = []
                for presence in try await Presence.of(users, context.database) { effects += try await handler(presence, context) }
                return effects
            }
        )
    }
}
