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
