import SparqWire
import Testing

@testable import SparqFront

/// What browsers bring along and go by: cookies, origins, headers.
extension FrontTests {
    private func post(_ port: Int, _ type: String, _ headers: [String]) async throws -> String {
        try await RawClient(port: port).http("POST", "/v1/messages", headers, body: #"{"type":"\#(type)"}"#)
    }

    private func fields(_ name: String, _ response: String) -> [String] {
        response.split(separator: "\r\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }.compactMap { line in
            line.lowercased().hasPrefix("\(name.lowercased()): ") ? String(line.dropFirst(name.count + 2)) : nil
        }
    }

    @Test func aStaleCookieLocksNobodyOutAndIsTakenAway() async throws {
        try await withFront { port, _, _, _ in
            let other = await SessionTokens(secret: String(repeating: "another", count: 8), lifetime: 60)
            for bad in ["", "nonsense", "\"\"", try await other.make(for: "alice")] {
                let cookie = "Cookie: sparq_session=\(bad)"
                let nobody = try await post(port, "whoami", [cookie])
                #expect(nobody.hasPrefix("HTTP/1.1 200") && nobody.contains(#""data":"nobody""#), "\(nobody)")
                let cleared = fields("Set-Cookie", nobody)
                #expect(cleared.count == 1 && cleared[0].hasPrefix("sparq_session=;"), "\(nobody)")
                for part in ["Max-Age=0", "Path=/", "HttpOnly", "SameSite=Lax", "Secure"] { #expect(cleared.first?.contains(part) == true) }
                // Errors take it away too.
                let error = try await post(port, "nonsense", [cookie])
                #expect(error.hasPrefix("HTTP/1.1 400") && fields("Set-Cookie", error) == cleared, "\(error)")
                // A fresh one is not taken away at once.
                let login = try await post(port, "login", [cookie])
                #expect(login.hasPrefix("HTTP/1.1 200") && fields("Set-Cookie", login).count == 1, "\(login)")
                #expect(fields("Set-Cookie", login)[0].contains("Max-Age=604800"))
                #expect(fields("Set-Cookie", try await post(port, "logout", [cookie])) == cleared)

                let several = try await post(port, "whoami", ["\(cookie); sparq_session=\(try await token("alice")); sparq_session=x"])
                #expect(several.contains(#""data":"alice""#) && fields("Set-Cookie", several).isEmpty, "\(several)")
                let bearer = try await post(port, "whoami", [cookie, "Authorization: Bearer \(try await token("alice"))"])
                #expect(bearer.contains(#""data":"alice""#) && fields("Set-Cookie", bearer) == cleared, "\(bearer)")
                let refused = try await post(port, "login", ["Authorization: Bearer \(bad)"])
                #expect(refused.hasPrefix("HTTP/1.1 401"), "\(refused)")

                for (path, status) in [("/ws", "401"), ("/ws?token=\(try await token("alice"))", "101")] {
                    let client = try await RawClient(port: port)
                    #expect(try await client.upgrade(path, [cookie]).contains(status), "\(path) with \(bad)")
                    #expect(fields("Set-Cookie", client.answer) == cleared, "\(client.answer)")
                }
                let client = try await RawClient(port: port)
                #expect(try await client.upgrade("/ws", ["\(cookie); sparq_session=\(try await token("alice"))"]).contains("101"))
                #expect(fields("Set-Cookie", client.answer).isEmpty)
            }
        }
    }

    @Test func pagesOfNamedOriginsMayPostAndReadTheAnswer() async throws {
        try await withFront({
            $0.allowedOrigins = try AllowedOrigins("https://chat.example")
            ($0.requestsPerSecond, $0.requestBurst) = (1, 4)
        }) { port, _, _, _ in
            func preflight(_ origin: String) async throws -> String {
                let headers = ["Origin: \(origin)", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"]
                return try await RawClient(port: port).http("OPTIONS", "/v1/messages", headers)
            }
            let allowed = try await preflight("https://chat.example")
            #expect(allowed.hasPrefix("HTTP/1.1 204"), "\(allowed)")
            #expect(fields("Access-Control-Allow-Methods", allowed)[0].contains("POST"))
            for name in ["Content-Type", "Authorization"] { #expect(fields("Access-Control-Allow-Headers", allowed)[0].contains(name)) }
            let refused = try await preflight("https://evil.example")
            #expect(refused.hasPrefix("HTTP/1.1 403") && fields("Access-Control-Allow-Origin", refused).isEmpty, "\(refused)")
            #expect(fields("Vary", refused).contains("Origin"))

            var responses = [allowed]
            for (type, status) in [
                ("whoami", "200"), ("nonsense", "400"), ("nobody", "503"), ("whoami", "200"), ("whoami", "429"), ("x", "429"),
            ] {
                let response = try await post(port, type, ["Origin: https://chat.example"])
                // Time goes on: a token may come meanwhile.
                #expect(response.hasPrefix("HTTP/1.1 \(status)") || status == "429", "\(type): \(response)")
                responses.append(response)
            }
            #expect(responses.last?.hasPrefix("HTTP/1.1 429") == true)
            responses.append(try await RawClient(port: port).http("GET", "/nothing", ["Origin: https://chat.example"]))
            responses.append(try await RawClient(port: port).http("GET", "/healthz", ["Origin: https://chat.example"]))
            for response in responses {
                #expect(fields("Access-Control-Allow-Origin", response) == ["https://chat.example"], "\(response)")
                #expect(fields("Access-Control-Allow-Credentials", response) == ["true"], "\(response)")
                #expect(fields("Access-Control-Expose-Headers", response) == ["Retry-After"], "\(response)")
                #expect(fields("Vary", response).contains("Origin"), "\(response)")
            }
            let evil = try await RawClient(port: port).http("GET", "/healthz", ["Origin: https://evil.example"])
            #expect(fields("Access-Control-Allow-Origin", evil).isEmpty && fields("Vary", evil).contains("Origin"))
        }
    }

    @Test func behindAProxyTheFrontKnowsItsOwnSchemeFromIt() async throws {
        try await withFront({ $0.forwardedHeader = "X-Forwarded-For" }) { port, _, _, _ in
            for (origin, scheme, status) in [
                ("https://test", "https", "101"), ("http://test", "https", "403"), ("https://test", "http", "403"),
            ] {
                let client = try await RawClient(port: port)
                let path = "/ws?token=\(try await token("alice"))"
                #expect(
                    try await client.upgrade(path, ["Origin: \(origin)", "X-Forwarded-Proto: \(scheme)"]).contains(status),
                    "\(origin)"
                )
                let response = try await post(port, "whoami", ["Origin: \(origin)", "X-Forwarded-Proto: \(scheme)"])
                #expect(response.hasPrefix("HTTP/1.1 \(status == "101" ? "200" : "403")"), "\(origin): \(response)")
            }
        }
    }

    @Test func everyResponseSaysWhatBrowsersMustKnow() async throws {
        let folder = "/tmp/sparq-front-tests-\(UInt32.random(in: .min ... .max))"
        try TestFiles.write("<p>chat</p>", to: folder, "index.html")
        defer { TestFiles.remove(folder) }
        try await withFront({ $0.webRoot = folder }) { port, _, _, _ in
            var responses: [String] = []
            for path in ["/", "/index.html", "/healthz", "/readyz", "/nothing"] {
                responses.append(try await RawClient(port: port).http("GET", path))
            }
            responses.append(try await post(port, "whoami", []))
            responses.append(try await post(port, "whoami", ["Authorization: Bearer x"]))
            for response in responses {
                #expect(fields("X-Content-Type-Options", response) == ["nosniff"], "\(response)")
                let policy = fields("Content-Security-Policy", response)
                #expect(
                    policy.count == 1 && policy[0].contains("frame-ancestors 'none'") && policy[0].contains("script-src 'self'"),
                    "\(response)"
                )
            }
            let client = try await RawClient(port: port)
            #expect(try await client.upgrade("/ws").contains("401"))
            // What no route answers, too.
            var refusals = [client.answer]
            for (method, path) in [("GET", "/%00"), ("X X", "/")] { refusals.append(try await RawClient(port: port).http(method, path)) }
            for refusal in refusals {
                #expect(fields("X-Content-Type-Options", refusal) == ["nosniff"], "\(refusal)")
                #expect(fields("Content-Security-Policy", refusal).first?.contains("frame-ancestors 'none'") == true, "\(refusal)")
                #expect(fields("Vary", refusal) == ["Origin"], "\(refusal)")
            }
        }
        try await withFront({ $0.contentSecurityPolicy = "frame-ancestors https://portal.example" }) { port, _, _, _ in
            let response = try await RawClient(port: port).http("GET", "/healthz")
            #expect(fields("Content-Security-Policy", response) == ["frame-ancestors https://portal.example"], "\(response)")
        }
    }

    @Test func filesGoWhole() async throws {
        let folder = "/tmp/sparq-front-tests-\(UInt32.random(in: .min ... .max))"
        try TestFiles.write("0123456789", to: folder, "digits.txt")
        defer { TestFiles.remove(folder) }
        try await withFront({ $0.webRoot = folder }) { port, _, _, _ in
            for range in ["bytes=99999999-", "bytes=-5", "bytes=2-3", "bytes=0-0,5-6", "bytes=3-1", "nonsense"] {
                let response = try await RawClient(port: port).http("GET", "/digits.txt", ["Range: \(range)"])
                #expect(response.hasPrefix("HTTP/1.1 200") && response.hasSuffix("\r\n\r\n0123456789"), "\(range): \(response)")
                #expect(fields("Content-Length", response) == ["10"] && fields("Accept-Ranges", response) == ["none"])
                #expect(fields("Content-Range", response).isEmpty)
            }
        }
    }

    @Test func subscribingByHTTPIsRefused() async throws {
        try await withFront { port, worker, _, _ in
            for type in ["subscribe", "unsubscribe"] {
                let response = try await post(port, type, [])
                #expect(response.hasPrefix("HTTP/1.1 400") && response.contains(#""code":"needs_socket""#), "\(response)")
            }
            #expect(!worker.seen.contains("subscribe"))
        }
    }
}
