import Sparq

/// Who is there: `presence.get`, and the topics `presence:<user>`.
enum PresenceOfUsers {
    /// The fields of `presence.get`.
    struct Get: Decodable, Sendable {
        static let limits = 1...512

        let users: [String]

        private enum CodingKeys: CodingKey { case users }

        init(from decoder: any Decoder) throws {
            users = try decoder.container(keyedBy: CodingKeys.self).decode([String].self, forKey: .users)
            guard Self.limits.contains(users.count) else {
                throw Refusal(.invalidFields, "The field \"users\" must name between 1 and 512 users.")
            }
            guard users.allSatisfy(Topic.isUser) else {
                throw Refusal(.invalidFields, "The field \"users\" holds what cannot be a user's name.")
            }
        }
    }

    /// The data of the reply to `presence.get`.
    struct List: Encodable, Sendable {
        let presence: [Changed]
    }

    /// A user came or went; or is as before.
    struct Changed: EventData, Equatable {
        static let eventType = "presence.changed"

        let user: String
        let online: Bool
        /// Of two, the one with the later time counts. They compare as texts.
        let at: String

        init(_ presence: Presence) { (user, online, at) = (presence.user, presence.isOnline, presence.at) }
    }

    static func register(on router: inout Router) {
        router.onPresence { presence, _ in
            Topic.isUser(presence.user) ? [.publish(to: .presence(presence.user), Changed(presence))] : []
        }
        router.on("presence.get", Get.self) { message, context in
            [.reply(List(presence: try await Presence.of(message.users, context.database).map(Changed.init)))]
        }
        router.onSubscribe(kind: "presence") { topic, context in
            guard context.userID != nil else { throw Refusal(.unauthenticated, "Log in first.") }
            guard Topic.isUser(String(topic.id)) else { throw Refusal(.notFound, "There is no such topic.") }
        }
    }
}
