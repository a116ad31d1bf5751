import Sparq

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
        let password = try message.password.prepared
        let guess = Guess(registrationFrom: context.address)
        try await guess.take(context)
        let hash: String
        do {
            hash = try await passwords.hash(password, for: .signUp)
        } catch let refusal as Refusal {
            try await guess.giveBack(isRight: false, context)
            throw refusal
        }
        let origin = "\(context.node)/\(context.connection ?? "")/\(context.messageID ?? "")/\(context.time)"
        guard try await MessengerSQL.createUser(message.user, password: hash, origin: origin, context.database) else {
            throw Refusal(.conflict, "The name \"\(message.user.text)\" is taken.")
        }
        return session(of: message.user)
    }

    private static func logIn(_ message: Login, _ passwords: PasswordHasher, _ context: Context) async throws -> [Effect] {
        let wrong = Refusal(.invalidCredentials, "The name or the password is wrong.")
        let user = try? UserName(message.user)
        let guess = Guess(of: user, from: context.address)
        try await guess.take(context)
        let stored = if let user { try await MessengerSQL.password(of: user, context.database) } else { String?.none }
        let verdict: PasswordHasher.Verdict
        do {
            verdict = try await passwords.verify(message.password, against: stored)
        } catch let refusal as Refusal {
            // Nobody has looked at it.
            try await guess.giveBack(isRight: false, context)
            throw refusal
        }
        guard case .right(let rehashed) = verdict, let user, let stored else { throw wrong }
        try await guess.giveBack(isRight: true, context)
        if let rehashed {
            try await MessengerSQL.replacePassword(of: user, stored, with: rehashed, context.database)
        }
        return session(of: user)
    }

    private static func session(of user: UserName) -> [Effect] {
        [.beginSession(user: user.text), .reply(Identity(user: user.text))]
    }
}
