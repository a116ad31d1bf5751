import Sparq

/// What is said to all who are connected: `sendMessage`, `everyone.history`.
enum Everyone {
    /// The fields of `sendMessage`.
    struct SendMessage: Decodable, Sendable {
        let text: MessageText
    }

    /// Somebody said something to everyone.
    struct Message: EventData {
        static let eventType = "message"

        let from: String
        let text: MessageText
    }

    static func register(on router: inout Router) {
        router.on("sendMessage", SendMessage.self) { message, context in
            [.append(to: .everyone, Message(from: context.user, text: message.text)), .reply(Empty())]
        }
        router.on("everyone.history", PageRequest.self) { page, context in
            [.reply(try await MessengerSQL.history(of: .everyone, page, context.database).json)]
        }
    }
}
