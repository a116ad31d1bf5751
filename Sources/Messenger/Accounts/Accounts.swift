import SparqProtocol
import SparqWorker

/// Who people are: `auth.register`, `auth.login`, `auth.logout`, `who`.
enum Accounts {
    /// The fields of `auth.register`.
    struct Registration: Decodable, Sendable {
        let user: UserName
        let password: Password
    }

    /// The fields of `auth.login`. A name that nobody can have is an unknown one.
    struct Login: Decodable, Sendable {
        let user: String
        let password: Password
    }

    /// Who one is now.
    struct Identity: Encodable, Sendable {
        let user: String
    }

    static func register(on router: inout Router, passwords: PasswordHasher) {
        router.on("auth.register", Registration.self, access: .anyone, isSecret: true) { try await signUp($0, passwords, $1) }
        router.on("auth.login", Login.self, access: .anyone, isSecret: true) { try await logIn($0, passwords, $1) }
        router.on("auth.logout", Empty.self, access: .anyone) { _, _ in [.endSession, .reply(Empty())] }
        router.on("who", Empty.self) { _, context in [.reply(Identity(user: context.user))] }
    }

    /// No transaction is open while the password is hashed. The one statement is atomic, and it knows the message again that made an
    /// account: a worker that died behind it leaves a message that another repeats, with the same answer.
    private static func signUp(_ message: Registration, _ passwords: PasswordHasher, _ context: Context) async throws -> [Effect] {
        let hash = try await passwords.hash(message.password.prepared)
        let origin = "\(context.node)/\(context.connection ?? "")/\(context.messageID ?? "")/\(context.time)"
        guard try await MessengerSQL.createUser(message.user, password: hash, origin: origin, context.database) else {
            throw Refusal(.conflict, "The name \"\(message.user.text)\" is taken.")
        }
        return session(of: message.user)
    }

    private static func logIn(_ message: Login, _ passwords: PasswordHasher, _ context: Context) async throws -> [Effect] {
        let wrong = Refusal(.invalidCredentials, "The name or the password is wrong.")
        let user = try? UserName(message.user)
        let stored = if let user { try await MessengerSQL.password(of: user, context.database) } else { String?.none }
        guard case .right(let rehashed) = try await passwords.verify(message.password, against: stored), let user, let stored else {
            throw wrong
        }
        if let rehashed {
            try await MessengerSQL.replacePassword(of: user, stored, with: rehashed, context.database)
        }
        return session(of: user)
    }

    private static func session(of user: UserName) -> [Effect] {
        [.beginSession(user: user.text), .reply(Identity(user: user.text))]
    }
}
