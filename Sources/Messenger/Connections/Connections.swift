import Sparq

/// What a connection hears from the start, and what it may subscribe to.
enum Connections {
    static func register(on router: inout Router, members: Loaders.Members) {
        router.onConnect { context in
            guard let user = context.userID else { return [] }
            return [.subscribe(.user(user)), .subscribe(.everyone)]
        }
        router.onSubscribe(kind: "everyone") { topic, context in
            try requireUser(context)
            // "everyone:…" is of that kind too, and nobody ever writes to it.
            guard topic == .everyone else { throw Refusal(.notFound, "There is no such topic.") }
        }
        router.onSubscribe(kind: "user") { topic, context in
            try requireUser(context)
            guard topic == .user(context.user) else { throw Refusal(.forbidden, "Only they themselves may listen to a user's topic.") }
        }
        router.onSubscribe(kind: "room") { topic, context in
            try requireUser(context)
            try await members.require(String(topic.id), context)
        }
    }

    private static func requireUser(_ context: Context) throws {
        guard context.userID != nil else { throw Refusal(.unauthenticated, "Log in first.") }
    }
}
