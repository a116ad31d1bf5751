import Crypto
import CryptoExtras
import FoundationEssentials

/// A password's scrypt hash (RFC 7914) in PHC form: `$scrypt$ln=15,r=8,p=1$salt$hash`, both in base64 without padding.
struct PasswordHash: Equatable, Sendable {
    /// The cost: memory is 128 · 2^ln · r bytes while hashing.
    struct Parameters: Equatable, Sendable {
        /// 32 MiB, about a tenth of a second.
        static let current = Parameters(logRounds: 15, blockSize: 8, parallelism: 1)

        var logRounds: Int
        var blockSize: Int
        var parallelism: Int

        /// A row that somebody tampered with must not cost gigabytes.
        var isReasonable: Bool { (1...18).contains(logRounds) && (1...16).contains(blockSize) && parallelism == 1 }
    }

    let parameters: Parameters
    let salt: [UInt8]
    let key: [UInt8]

    /// Hashes; takes long, and much memory.
    init(hashing password: String, salt: [UInt8], parameters: Parameters) throws {
        self.parameters = parameters
        self.salt = salt
        key = try Self.derive(password, salt, parameters, 32).withUnsafeBytes { Array($0) }
    }

    /// A hash in PHC form; `nil` where the text is none.
    init?(phc: String) {
        let parts = phc.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt" else { return nil }
        var values: [Substring: Int] = [:]
        for pair in parts[2].split(separator: ",") {
            let sides = pair.split(separator: "=")
            guard sides.count == 2, let value = Int(sides[1]) else { return nil }
            values[sides[0]] = value
        }
        guard let logRounds = values["ln"], let blockSize = values["r"], let parallelism = values["p"], values.count == 3 else {
            return nil
        }
        parameters = Parameters(logRounds: logRounds, blockSize: blockSize, parallelism: parallelism)
        guard parameters.isReasonable, let salt = Self.decoded(parts[3]), let key = Self.decoded(parts[4]) else { return nil }
        guard (8...64).contains(salt.count), (16...64).contains(key.count) else { return nil }
        self.salt = salt
        self.key = key
    }

    /// The PHC form.
    var phc: String {
        "$scrypt$ln=\(parameters.logRounds),r=\(parameters.blockSize),p=\(parameters.parallelism)$\(Self.encoded(salt))$\(Self.encoded(key))"
    }

    /// Whether it is this password's hash; takes as long as hashing, whatever the answer.
    func matches(_ password: String) throws -> Bool {
        // SymmetricKey compares in constant time.
        try Self.derive(password, salt, parameters, key.count) == SymmetricKey(data: key)
    }

    private static func derive(_ password: String, _ salt: [UInt8], _ parameters: Parameters, _ count: Int) throws -> SymmetricKey {
        try KDF.Scrypt.deriveKey(
            from: Array(password.utf8),
            salt: salt,
            outputByteCount: count,
            rounds: 1 << parameters.logRounds,
            blockSize: parameters.blockSize,
            parallelism: parameters.parallelism
        )
    }

    private static func encoded(_ bytes: [UInt8]) -> String {
        String(Data(bytes).base64EncodedString().prefix { $0 != "=" })
    }

    private static func decoded(_ text: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return Data(base64Encoded: String(text) + padding).map { [UInt8]($0) }
    }
}
