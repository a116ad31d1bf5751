/// Who a request comes from, when its tokens have been looked at.
struct Identity: Sendable, Equatable {
    enum Who: Sendable, Equatable {
        case user(String)
        case nobody
        /// The client brought a token that is not valid.
        case refused
    }

    let who: Who
    /// It brought session cookies, and none of them is valid: the response takes the cookie away.
    let hasStaleCookie: Bool
}

extension Credentials {
    /// Looks at the tokens. A token by header or query counts before cookies, of these the first valid one, and then the cookie for development.
    func identity(_ tokens: SessionTokens) async -> Identity {
        var session: String?
        for cookie in cookies where session == nil { session = await tokens.user(of: cookie) }
        let hasStaleCookie = !cookies.isEmpty && session == nil
        guard let token else {
            return Identity(who: (session ?? devUser).map { .user($0) } ?? .nobody, hasStaleCookie: hasStaleCookie)
        }
        return Identity(who: await tokens.user(of: token).map { .user($0) } ?? .refused, hasStaleCookie: hasStaleCookie)
    }
}
