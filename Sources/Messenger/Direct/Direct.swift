import Sparq

/// From one person to another: `direct.send`, `direct.history`. Both have the message in their own topic, so that every device of
/// theirs sees it.
enum Direct {
    /// The fields of `direct.send`.
    struct Send: Decodable, Sendable {
        let to: UserName
        let text: MessageText
    }

    /// The fields of `direct.history`: what was said with one person, or, without `with`, with anybody.
    struct History: Decodable, Sendable {
        let with: UserName?
        let page: PageRequest

        private enum CodingKeys: CodingKey { case with }

        init(from decoder: any Decoder) throws {
            with = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(UserName.self, forKey: .with)
            page = try PageRequest(from: decoder)
        }
    }

    /// Somebody said something to somebody.
    struct Message: EventData {
        static let eventType = "direct.message"

        let from: String
        let to: String
        let text: MessageText
    }

    static func register(on router: inout Router) {
        let users = Loaders.users()
        router.on("direct.send", Send.self) { message, context in
            guard try await users.load(message.to, context) == true else {
                throw Refusal(.notFound, "There is nobody called \"\(message.to.text)\".")
            }
            let event = Message(from: context.user, to: message.to.text, text: message.text)
            let topics = message.to.text == context.user ? [context.user] : [message.to.text, context.user]
            return topics.map { .append(to: .user($0), event) } + [.reply(Empty())]
        }
        router.on("direct.history", History.self) { message, context in
            let page = try await MessengerSQL.directHistory(of: context.user, with: message.with, message.page, context.database)
            return [.reply(page.json)]
        }
    }
}
