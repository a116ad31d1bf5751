import Foundation
import Testing

@testable import SparqFront

@Suite struct SessionTests {
    private static let secret = "0123456789abcdef0123456789abcdef"

    @Test func tokens() async throws {
        let tokens = await SessionTokens(secret: Self.secret, lifetime: 60)
        let token = try await tokens.make(for: "alice")
        #expect(await tokens.user(of: token) == "alice")
        let other = await SessionTokens(secret: Self.secret + "x", lifetime: 60)
        #expect(await other.user(of: token) == nil)
        let expired = try await tokens.make(for: "alice", now: Date(timeIntervalSinceNow: -61))
        #expect(await tokens.user(of: expired) == nil)
        for text in ["", "a.b.c", token.dropLast() + "", token + "x", String(repeating: "a", count: 10_000)] {
            #expect(await tokens.user(of: String(text)) == nil)
        }
        // "alg":"none"
        let parts = token.split(separator: ".")
        #expect(await tokens.user(of: "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.\(parts[1]).") == nil)
    }

    private static func credentials(_ authorization: String?, _ query: String?, _ cookies: [String], _ devCookie: Bool = false)
        -> Credentials
    {
        Credentials(authorization: authorization, query: query.map { $0[...] }, cookies: cookies, devCookie: devCookie)
    }

    @Test func credentialsAreFoundWhereTheyStand() {
        let of = Self.credentials
        for (authorization, token) in [("Bearer a", "a"), ("bearer a", "a"), ("Bearer   a ", "a"), ("Bearer", "")] {
            #expect(of(authorization, "token=b", [], false).token == token, "\(authorization)")
        }
        #expect(of("Basic a", "x=1&token=b%2E", ["sparq_session=c"], false).token == "b.")
        #expect(of(nil, "x=1&tokens=2", ["username=bob"], false) == of(nil, nil, [], false))
        let several = of(nil, nil, ["x=y; sparq_session=c; sparq_session2=no; sparq_session=\"d\"", "sparq_session="], false)
        #expect(several.token == nil && several.isAmbient && several.cookies == ["c", "d", ""])
        let many = (0..<350).map { "sparq_session=\($0)" }
        #expect(of(nil, nil, [many.joined(separator: "; ")], false).cookies == ["0", "1", "2", "3"], "each costs as much as a request")
        #expect(of(nil, nil, many, false).cookies == ["0", "1", "2", "3"])
        #expect(of(nil, nil, ["x=y", "username=\"bob\""], true).devUser == "bob")
        #expect(of(nil, nil, ["username="], true).devUser == nil)
    }

    /// A page cannot remove the cookie, and with a bad one that counted nobody could log in.
    @Test func aBadCookieCountsAsNoneAndABadTokenIsRefused() async throws {
        let tokens = await SessionTokens(secret: Self.secret, lifetime: 60)
        let other = await SessionTokens(secret: Self.secret + "x", lifetime: 60)
        let good = try await tokens.make(for: "alice")
        let expired = try await tokens.make(for: "alice", now: Date(timeIntervalSinceNow: -61))
        let bad = ["", "\"\"", "nonsense", "a.b.c", expired, try await other.make(for: "alice"), String(good.dropLast())]
        func identity(_ authorization: String?, _ query: String?, _ cookies: [String], _ devCookie: Bool = false) async -> Identity {
            await Self.credentials(authorization, query, cookies, devCookie).identity(tokens)
        }
        for text in bad {
            let cookie = "sparq_session=\(text)"
            #expect(await identity(nil, nil, [cookie]) == Identity(who: .nobody, hasStaleCookie: true), "\(text)")
            #expect(await identity(nil, nil, ["\(cookie); username=bob"], true) == Identity(who: .user("bob"), hasStaleCookie: true))
            // The first valid one counts, and with it the cookie stays.
            #expect(await identity(nil, nil, ["\(cookie); sparq_session=\(good)"]) == Identity(who: .user("alice"), hasStaleCookie: false))
            #expect(await identity("Bearer \(good)", nil, [cookie]) == Identity(who: .user("alice"), hasStaleCookie: true))
            for cookies in [[], [cookie], ["sparq_session=\(good)"]] {
                #expect(await identity("Bearer \(text)", nil, cookies).who == .refused, "\(text)")
                #expect(await identity(nil, "token=\(text)", cookies).who == .refused, "\(text)")
            }
        }
        #expect(await identity(nil, nil, ["sparq_session=\"\(good)\""]) == Identity(who: .user("alice"), hasStaleCookie: false))
        #expect(await identity(nil, nil, []) == Identity(who: .nobody, hasStaleCookie: false))
        let bob = try await tokens.make(for: "bob")
        #expect(await identity(nil, nil, ["sparq_session=\(bob)", "sparq_session=\(good)"]).who == .user("bob"))
    }

    @Test func theCookieIsTakenAwayWithTheAttributesThatItWasGivenWith() {
        for isSecure in [true, false] {
            let cookie = SessionCookie(isSecure: isSecure, lifetime: 60)
            func attributes(_ text: String) -> Set<String> {
                Set(text.split(separator: ";").dropFirst().map { $0.filter { $0 != " " } }.filter { !$0.hasPrefix("Max-Age") })
            }
            #expect(cookie.set("t").hasPrefix("sparq_session=t;") && cookie.set("t").contains("Max-Age=60"))
            #expect(cookie.cleared.hasPrefix("sparq_session=;") && cookie.cleared.contains("Max-Age=0"))
            #expect(attributes(cookie.cleared) == attributes(cookie.set("t")))
            #expect(attributes(cookie.cleared).contains("Secure") == isSecure)
        }
    }
}
