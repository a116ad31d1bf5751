package import SparqPostgres
package import SparqWire

/// What a handler made of a message.
package enum HandlerRun: Sendable {
    case effects([Effect])
    case refused(Refusal)
    /// Needs a transaction, in which ``Router/run(_:json:context:transaction:)`` goes on.
    case needsTransaction
}

extension Router {
    /// Runs the handler of a type, up to the point where it needs a transaction. Throws what the handler throws, but for refusals.
    package func run(_ type: String, json: ArraySlice<UInt8>, context: Context) async throws -> HandlerRun {
        guard let handler = handlers[type] else {
            // Connections and users come and go whether anybody is interested or not.
            if type == SystemType.connect || type == SystemType.disconnect || type == SystemType.presence { return .effects([]) }
            // Clients cannot send it. It is a newer front's, and a newer worker knows what to do with it.
            if type.hasPrefix("$") { throw TransientFailure("this version does not know the system message \"\(type)\"") }
            return .refused(Refusal(.unknownType, "There is no handler for messages of the type \"\(type)\"."))
        }
        if let refusal = handler.access.refusal(for: context) { return .refused(refusal) }
        switch handler.body {
        case .effects(let body):
            do { return .effects(try await body(json, context)) } catch let refusal as Refusal { return .refused(refusal) }
        case .transaction: return .needsTransaction
        }
    }

    /// Runs the handler of a type inside a transaction. Throws what the handler throws, refusals too, so that the transaction rolls back.
    package func run(
        _ type: String,
        json: ArraySlice<UInt8>,
        context: Context,
        transaction: PostgresTransaction
    ) async throws -> [Effect] {
        guard case .transaction(let body)? = handlers[type]?.body else { return [] }
        return try await body(json, context, transaction)
    }
}

extension Access {
    fileprivate func refusal(for context: Context) -> Refusal? {
        guard self == .user, context.userID == nil else { return nil }
        return Refusal(.unauthenticated, "Log in first.")
    }
}

extension Router {
    /// Asks the policy of a topic's kind; `nil` means yes.
    package func refusal(of topic: Topic, context: Context) async throws -> Refusal? {
        guard let policy = policies[topic.kind] else { return Refusal(.forbidden, "Nobody may subscribe to topics of this kind.") }
        do {
            try await policy(topic, context)
            return nil
        } catch let refusal as Refusal {
            return refusal
        }
    }
}
