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

/// What a session token says.
struct SessionPayload: JWTPayload {
    var sub: SubjectClaim
    var iat: IssuedAtClaim
    var exp: ExpirationClaim

    func verify(using algorithm: some JWTAlgorithm) throws { try exp.verifyNotExpired() }
}

/// The cookie in which browsers keep a session token (RFC 6265).
struct SessionCookie: Sendable {
    /// Whether it is for HTTPS alone.
    let isSecure: Bool
    /// Seconds that browsers keep it.
    let lifetime: Int

    /// The header `Set-Cookie` that gives a browser a token.
    func set(_ token: String) -> String { text(token, maxAge: lifetime) }

    /// The header `Set-Cookie` that takes the cookie away: browsers find it by its name and path.
    var cleared: String { text("", maxAge: 0) }

    /// A token has no character that a cookie may not have.
    private func text(_ value: String, maxAge: Int) -> String {
        "\(Credentials.cookieName)=\(value); Max-Age=\(maxAge); Path=/; HttpOnly; SameSite=Lax\(isSecure ? "; Secure" : "")"
    }
}
