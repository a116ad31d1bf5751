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

    @Test func credentialsInOrder() {
        func source(_ authorization: String?, _ query: String?, _ cookies: [String], _ devCookie: Bool = false) -> Credentials.Source {
            Credentials(authorization: authorization, query: query.map { $0[...] }, cookies: cookies, devCookie: devCookie).source
        }
        #expect(source("Bearer a", "token=b", ["sparq_session=c"]) == .bearer("a"))
        #expect(source("bearer a", nil, []) == .bearer("a"))
        #expect(source("Basic a", "x=1&token=b%2E", ["sparq_session=c"]) == .query("b."))
        #expect(source(nil, nil, ["x=y; sparq_session=c; z=1"]) == .cookie("c"))
        #expect(source(nil, nil, ["x=y", "username=\"bob\""]) == .none)
        #expect(source(nil, nil, ["x=y", "username=\"bob\""], true) == .devCookie("bob"))
        #expect(source(nil, nil, ["username="], true) == .none)
    }

    @Test func origins() {
        let policy = OriginPolicy(allowed: ["https://other.example"])
        #expect(policy.allows(origin: nil, host: "chat.example"))
        #expect(policy.allows(origin: "https://Chat.example", host: "chat.Example"))
        #expect(policy.allows(origin: "http://localhost:8080", host: "localhost:8080"))
        #expect(policy.allows(origin: "https://other.example", host: "chat.example"))
        #expect(!policy.allows(origin: "https://evil.example", host: "chat.example"))
        #expect(!policy.allows(origin: "http://localhost:9090", host: "localhost:8080"))
        #expect(!policy.allows(origin: "null", host: "chat.example"))
        #expect(OriginPolicy(allowed: ["*"]).allows(origin: "https://evil.example", host: "chat.example"))
        #expect(policy.allowsChange(origin: nil, host: "h", site: "same-origin") && policy.allowsChange(origin: nil, host: "h", site: nil))
        #expect(!policy.allowsChange(origin: nil, host: "h", site: "cross-site"))
        #expect(!policy.allowsChange(origin: "https://evil.example", host: "h", site: "none"))
    }
}
