import Sparq
import Testing

@testable import Messenger

@Suite struct PasswordTests {
    private static let cheap = PasswordHash.Parameters(logRounds: 4, blockSize: 8, parallelism: 1)

    @Test func phcFormIsReadBack() throws {
        let hash = try PasswordHash(hashing: "correct horse", salt: Array(0..<16), parameters: Self.cheap)
        #expect(hash.phc.hasPrefix("$scrypt$ln=4,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$"))
        let read = try #require(PasswordHash(phc: hash.phc))
        #expect(read == hash)
        #expect(try read.matches("correct horse"))
        #expect(try !read.matches("correct horsf"))
        #expect(try !read.matches(""))
    }

    /// RFC 7914, section 12: the vector with N = 16384, r = 8, p = 1.
    @Test func agreesWithTheRFC() throws {
        let hash = try PasswordHash(
            hashing: "pleaseletmein",
            salt: Array("SodiumChloride".utf8),
            parameters: .init(logRounds: 14, blockSize: 8, parallelism: 1)
        )
        #expect(hash.key.prefix(8) == [0x70, 0x23, 0xBD, 0xCB, 0x3A, 0xFD, 0x73, 0x48])
    }

    @Test(arguments: [
        "", "password", "$scrypt$", "$argon2id$v=19$m=1$AAAA$AAAA", "$scrypt$ln=15,r=8$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw",
        "$scrypt$ln=40,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw", "$scrypt$ln=4,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AA",
        "$scrypt$ln=4,r=8,p=1$!!$AAECAwQFBgcICQoLDA0ODw", "$scrypt$ln=-1,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw",
    ])
    func whatIsNoHash(_ text: String) {
        #expect(PasswordHash(phc: text) == nil)
    }

    @Test func oneSaltPerHash() async throws {
        let hasher = PasswordHasher.cheap()
        #expect(try await hasher.hash("password") != hasher.hash("password"))
    }

    @Test func verdicts() async throws {
        let hasher = PasswordHasher.cheap()
        let stored = try await hasher.hash("password")
        #expect(try await hasher.verify("password", against: stored) == .right(rehashed: nil))
        #expect(try await hasher.verify("passwort", against: stored) == .wrong)
        #expect(try await hasher.verify("password", against: nil) == .wrong)
        #expect(try await hasher.verify("password", against: "no hash at all") == .wrong)
    }

    @Test func otherParametersMeanANewHash() async throws {
        let stored = try await PasswordHasher.cheap().hash("password")
        let hasher = PasswordHasher(threads: 1, waiting: 10, parameters: .init(logRounds: 5, blockSize: 8, parallelism: 1))
        guard case .right(let rehashed?) = try await hasher.verify("password", against: stored) else {
            Issue.record("the hash should be made anew")
            return
        }
        #expect(rehashed.hasPrefix("$scrypt$ln=5,"))
        #expect(try await hasher.verify("password", against: rehashed) == .right(rehashed: nil))
        #expect(try await hasher.verify("passwort", against: stored) == .wrong)
    }

    @Test func newAccountsHaveHalfOfThePlaces() {
        var places = PasswordHasher.Places(18)
        func take(_ purpose: PasswordHasher.Places.Purpose) -> Int { (0..<100).count { _ in places.take(purpose) } }
        #expect(take(.signUp) == 9)
        #expect(take(.logIn) == 9)
        for _ in 0..<9 { places.free(.signUp) }
        // Who has an account may have them all.
        #expect(take(.logIn) == 9)
        #expect(take(.signUp) == 0)
        places.free(.logIn)
        #expect(take(.signUp) == 1)
        #expect(take(.logIn) == 0)
        places = PasswordHasher.Places(1)
        #expect(take(.signUp) == 1)
    }

    @Test func onlySoManyWait() async throws {
        let hasher = PasswordHasher(threads: 1, waiting: 1, parameters: .init(logRounds: 14, blockSize: 8, parallelism: 1))
        let results = await withTaskGroup(of: Result<String, any Error>.self) { group in
            for _ in 0..<8 {
                group.addTask { do { return .success(try await hasher.hash("password")) } catch { return .failure(error) } }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let refused = results.compactMap { result in if case .failure(let error) = result { error as? Refusal } else { nil } }
        #expect(refused.count >= 1)
        #expect(refused.allSatisfy { $0.code == .unavailable })
        #expect(results.count - refused.count >= 2)
        // And there is room again.
        _ = try await hasher.hash("password")
    }
}
