import Sparq

/// Whom a log-in is counted against, so that nobody finds a password by trying. Wrong ones count; a right one is given back.
///
/// - An address may guess 40 passwords, of whomever, and then one every two seconds.
/// - Of one account it may guess ten, and then one every 15 seconds.
/// - All addresses together may guess 50 passwords of one account, and then one every five seconds. Those from which the account has logged in
///   within 30 days are not among them: so no crowd of strangers locks its owner out there. One address alone never uses up what all have.
struct Guess: Sendable {
    /// How many may come at once, and after how many seconds there is one more.
    struct Limit: Sendable {
        var burst: Int
        var seconds: Double
    }

    static let address = Limit(burst: 40, seconds: 2)
    static let pair = Limit(burst: 10, seconds: 15)
    static let account = Limit(burst: 50, seconds: 5)
    /// New accounts of one address. In the long run far fewer than can be hashed.
    static let registration = Limit(burst: 400, seconds: 1)
    /// For how long an address is known from which an account has logged in.
    static let days = 30

    /// The row that says that the account has logged in from there.
    let known: String
    /// What is counted, in the order of the locks.
    let buckets: [(subject: String, limit: Limit)]

    /// A log-in.
    ///
    /// - Parameters:
    ///   - user: In its one spelling; `nil` where the name can be nobody's.
    ///   - address: Where it comes from; `nil` where no front said so.
    init(of user: UserName?, from address: String?) {
        let address = address ?? "unknown"
        guard let name = user?.text else {
            known = ""
            buckets = [("address \(address)", Self.address)]
            return
        }
        known = "known \(name) \(address)"
        buckets = [("address \(address)", Self.address), ("pair \(name) \(address)", Self.pair), ("account \(name)", Self.account)]
    }

    /// A new account.
    init(registrationFrom address: String?) {
        known = ""
        buckets = [("registration \(address ?? "unknown")", Self.registration)]
    }

    /// Takes a guess, if there is one.
    ///
    /// - Throws: ``Refusal`` with `rate_limited`, which says how long to wait.
    func take(_ context: Context) async throws {
        let wait = try await MessengerSQL.take(self, context.database)
        guard wait > 0 else { return }
        let seconds = Int(wait.rounded(.up))
        throw Refusal(.rateLimited, "Too many tries. Try again in \(seconds) second\(seconds == 1 ? "" : "s").")
    }

    /// Gives the guess back: it was right, or was not looked at.
    func giveBack(isRight: Bool, _ context: Context) async throws {
        try await MessengerSQL.giveBack(self, isKnownFor: isRight ? Self.days : nil, context.database)
    }
}
