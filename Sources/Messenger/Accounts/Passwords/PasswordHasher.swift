import NIOPosix
import Sparq
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Hashes and checks passwords on threads of its own, so that neither the cooperative pool nor a database connection waits for it.
///
/// Bounded: as many at once as there are threads, each with 32 MiB; so many may wait; further ones are refused as `unavailable`. New accounts have half of
/// these places at most, so that those who have one get in. Its threads have a low priority: whatever else the machine has to do goes first.
public final class PasswordHasher: Sendable {
    /// What came of checking a password.
    enum Verdict: Equatable, Sendable {
        case wrong
        /// Right; where the parameters have changed since, with the hash to store from now on.
        case right(rehashed: String?)
    }

    private let threads: NIOThreadPool
    private let parameters: PasswordHash.Parameters
    private let decoy: PasswordHash
    private let places: Mutex<Places>

    /// A hasher with its threads.
    ///
    /// - Parameters:
    ///   - threads: How many passwords at once.
    ///   - waiting: How many may wait for a thread. Each holds a slot of the worker: far fewer than it has.
    public convenience init(threads: Int = 2, waiting: Int = 16) {
        self.init(threads: threads, waiting: waiting, parameters: .current)
    }

    init(threads count: Int, waiting: Int, parameters: PasswordHash.Parameters) {
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
        places = Mutex(Places(count + waiting))
        self.parameters = parameters
        decoy = PasswordHash(decoyWith: parameters)
    }

    deinit {
        threads.shutdownGracefully { _ in }
    }

    /// The PHC form of a password's hash, with a salt of its own. Throws ``Refusal`` where too many wait already.
    func hash(_ password: String, for purpose: Places.Purpose = .logIn) async throws -> String {
        try await run(purpose) { [parameters] in try Self.fresh(password, parameters) }
    }

    /// Checks a password against a stored hash; without one, which stands for an unknown user, it takes the same time and says no.
    func verify(_ password: String, against stored: String?) async throws -> Verdict {
        let hash = stored.flatMap(PasswordHash.init(phc:))
        return try await run(.logIn) { [parameters, decoy] in
            let isRight = try (hash ?? decoy).matches(password)
            guard let hash, isRight else { return .wrong }
            return .right(rehashed: hash.parameters == parameters ? nil : try Self.fresh(password, parameters))
        }
    }

    private static func fresh(_ password: String, _ parameters: PasswordHash.Parameters) throws -> String {
        var random = SystemRandomNumberGenerator()
        let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        return try PasswordHash(hashing: password, salt: salt, parameters: parameters).phc
    }

    /// On Linux a nice value is its thread's own. This one leaves a hash about a tenth of a busy core, so that a log-in is still answered in time.
    private static func yieldToOthers() {
        #if canImport(Glibc)
            _ = setpriority(Int32(PRIO_PROCESS.rawValue), 0, 10)
        #endif
    }

    private func run<Value: Sendable>(_ purpose: Places.Purpose, _ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        guard places.withLock({ $0.take(purpose) }) else {
            throw Refusal(.unavailable, "Too many people are logging in right now. Try again in a moment.")
        }
        defer { places.withLock { $0.free(purpose) } }
        return try await threads.runIfActive {
            Self.yieldToOthers()
            return try work()
        }
    }
}

extension PasswordHasher {
    /// Who may have a password hashed, or may wait for it. A value.
    struct Places: Sendable {
        enum Purpose: Sendable {
            case signUp
            case logIn
        }

        private let limit: Int
        private var signUps = 0
        private var logIns = 0

        init(_ limit: Int) { self.limit = limit }

        /// Takes a place, if there is one. New accounts have half of all, and one at least.
        mutating func take(_ purpose: Purpose) -> Bool {
            guard signUps + logIns < limit else { return false }
            switch purpose {
            case .signUp:
                guard signUps < max(1, limit / 2) else { return false }
                signUps += 1
            case .logIn: logIns += 1
            }
            return true
        }

        /// Gives back a place that was taken.
        mutating func free(_ purpose: Purpose) {
            switch purpose {
            case .signUp: signUps -= 1
            case .logIn: logIns -= 1
            }
        }
    }
}

extension PasswordHash {
    /// Belongs to no password, and takes as long to check as a real one.
    fileprivate init(decoyWith parameters: Parameters) {
        self.parameters = parameters
        salt = [UInt8](repeating: 0x5A, count: 16)
        key = [UInt8](repeating: 0, count: 32)
    }
}
