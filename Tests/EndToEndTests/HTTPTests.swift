import Foundation
import PlainHTTP
import Testing

/// The other way in: every message over HTTP, sessions, the page.
@Suite(.timeLimit(.minutes(3))) struct HTTPTests {
    @Test func messagesSessionsAndThePage() async throws {
        try await Stack.with(fronts: 1, workers: 1) { _, fronts in
            let front = fronts[0]
            try await accounts(front)
            try await tokens(front)
            try await page(front)
        }
    }

    private func accounts(_ front: Front) async throws {
        let register = #"{"type":"auth.register","user":"ann","password":"\#(Person.password)"}"#
        let first = try await front.post(register)
        #expect(first.status == 200, "\(first.text)")
        let cookie = first.headers.first { $0.name == "set-cookie" }?.value ?? ""
        #expect(cookie.hasPrefix("sparq_session=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "\(cookie)")
        let again = try await front.post(register)
        #expect(again.status == 409 && again.text.contains(#""code":"conflict""#), "\(again.status) \(again.text)")

        let wrong = try await front.post(#"{"type":"auth.login","user":"ann","password":"not the password"}"#)
        let unknown = try await front.post(#"{"type":"auth.login","user":"nobody","password":"not the password"}"#)
        #expect(wrong.status != 200 && wrong.cookies.isEmpty)
        #expect(wrong.status == unknown.status && wrong.body == unknown.body, "\(wrong.text) against \(unknown.text)")

        let login = try await front.post(#"{"type":"auth.login","id":"l","user":"ann","password":"\#(Person.password)"}"#)
        let token = try #require(login.cookies["sparq_session"], "\(login.text)")
        #expect(login.text.contains(#""re":"l""#))
        let byBearer = try await front.post(#"{"type":"who"}"#, token: token)
        let byCookie = try await front.post(#"{"type":"who"}"#, cookie: "sparq_session=\(token)")
        for answer in [byBearer, byCookie] { #expect(answer.status == 200 && answer.text.contains(#""user":"ann""#), "\(answer.text)") }
        let said = try await front.post(#"{"type":"sendMessage","id":"s1","text":"over HTTP"}"#, token: token)
        let repeated = try await front.post(#"{"type":"sendMessage","id":"s1","text":"over HTTP"}"#, token: token)
        #expect(said.status == 200 && repeated.status == 200 && repeated.text.contains(#""repeat":true"#), "\(repeated.text)")

        for (body, status) in [("{", 400), ("[]", 400), (#"{"type":"no.such"}"#, 400), (#"{"type":"sendMessage","text":7}"#, 400)] {
            let answer = try await front.post(body, token: token)
            #expect(answer.status == status, "\(body): \(answer.status) \(answer.text)")
        }
        let long = #"{"type":"sendMessage","text":""# + String(repeating: "x", count: 70_000) + #""}"#
        #expect(try await front.post(long, token: token).status == 413)
    }

    private func tokens(_ front: Front) async throws {
        let nobody = try await front.post(#"{"type":"sendMessage","text":"x"}"#)
        #expect(nobody.status == 401 && nobody.text.contains("unauthenticated"), "\(nobody.status) \(nobody.text)")
        let expired = try TestToken.make(user: "ann", expiresIn: -60, secret: Stack.secret)
        let forged = try TestToken.make(user: "ann", expiresIn: 60, secret: "another secret that is long enough 0123456789")
        for token in [expired, forged, "nonsense"] {
            #expect(try await front.post(#"{"type":"who"}"#, token: token).status == 401)
            await #expect(throws: RawSocket.Refused.self) {
                try await RawSocket.open(front, headers: ["Authorization": "Bearer \(token)"])
            }
        }
        await #expect(throws: RawSocket.Refused.self) { try await RawSocket.open(front) }
    }

    private func page(_ front: Front) async throws {
        let page = try await HTTPExchange.request("GET", front.http + "/")
        #expect(page.status == 200 && page.text.contains("<title>Sparq</title>"))
        #expect(page.headers.contains { $0.name == "content-type" && $0.value.hasPrefix("text/html") })
        #expect(await front.status("/sparq.js") == 200)
        #expect(await front.status("/no-such-page") == 404)
        #expect(await front.status("/../Package.swift") != 200)
        #expect(await front.status("/%2e%2e/Package.swift") != 200)
        #expect(await front.status("/healthz") == 200)
    }
}
