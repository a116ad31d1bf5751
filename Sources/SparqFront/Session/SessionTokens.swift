import Foundation
import JWTKit
import SparqWire

/// Makes and checks session tokens: JWT, HS256 (RFC 7519, RFC 7518 section 3.2).
struct SessionTokens: Sendable {
    /// Seconds that a token is good for.
    let lifetime: Int
    private let keys: JWTKeyCollection

    /// `secret` has at least 32 bytes (RFC 7518, section 3.2).
    init(secret: String, lifetime: Int) async {
        self.lifetime = lifetime
        keys = await JWTKeyCollection().add(hmac: HMACKey(from: Data(secret.utf8)), digestAlgorithm: .sha256)
    }

    /// The user that a token is for; `nil` where it is malformed, signed otherwise, or expired.
    func user(of token: String) async -> String? {
        guard token.utf8.count <= 4096, let payload = try? await keys.verify(token, as: SessionPayload.self) else { return nil }
        let user = payload.sub.value
        return Topic.isUser(user) ? user : nil
    }

    /// A token for a user, good from `now` on.
    func make(for user: String, now: Date = Date()) async throws -> String {
        let payload = SessionPayload(
            sub: SubjectClaim(value: user),
            iat: IssuedAtClaim(value: now),
            exp: ExpirationClaim(value: now.addingTimeInterval(Double(lifetime)))
        )
        return try await keys.sign(payload)
    }
}
