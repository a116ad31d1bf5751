import SparqAMQP
import Logging
import NIOConcurrencyHelpers
import ServiceLifecycle
import SparqWire
import Testing
import SparqWebSocket

@testable import SparqFront

/// A whole front with real sockets; its broker and workers are in the process.
@Suite(.timeLimit(.minutes(1))) struct FrontTests {
    static let secret = "0123456789abcdef0123456789abcdef"

    func withFront(
        _ change: (inout FrontConfiguration) throws -> Void = { _ in },
        readiness box: NIOLockedValueBox<FrontReadiness?> = NIOLockedValueBox(nil),
        _ body: (_ port: Int, _ worker: FakeWorker, _ group: ServiceGroup, _ front: Front) async throws -> Void
    ) async throws {
        var configuration = FrontConfiguration(broker: AMQPConfiguration(host: "127.0.0.1", port: 1), sessionSecret: Self.secret)
        configuration.port = 0
        configuration.drainWindow = .milliseconds(200)
        configuration.gapPatience = .milliseconds(50)
        try change(&configuration)
        let worker = FakeWorker()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let front = try Front(configuration: configuration, eventLoopGroup: nil, logger: logger) { readiness, _ in
            box.withLockedValue { $0 = readiness }
            return FakeBroker(readiness) { worker.answer($0) }
        }
        let group = ServiceGroup(services: [front], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try #require(await front.port)
            // Before, nobody is let in.
            while !front.isReady { try await Task.sleep(for: .milliseconds(1)) }
            try await body(port, worker, group, front)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    func token(_ user: String) async throws -> String {
        try await SessionTokens(secret: Self.secret, lifetime: 60).make(for: user)
    }

    private func open(_ port: Int, _ user: String = "alice") async throws -> RawClient {
        let client = try await RawClient(port: port)
        let status = try await client.upgrade("/ws?token=\(try await token(user))")
        #expect(status.contains("101"))
        let welcome = try await client.next()
        #expect(welcome.hasPrefix(#"{"type":"$welcome""#) && welcome.contains(#""user":"\#(user)""#))
        return client
    }

    @Test func messagesAndEventsBetweenTwoSockets() async throws {
        try await withFront { port, worker, _, front in
            let alice = try await open(port)
            let bob = try await open(port, "bob")
            bob.send(#"{"type":"subscribe","id":"0"}"#)
            #expect(try await bob.next() == #"{"re":"0","ok":true,"data":{}}"#)
            for number in 1...20 { alice.send(#"{"type":"append","id":"\#(number)"}"#) }
            for number in 1...20 { #expect(try await alice.next() == #"{"re":"\#(number)","ok":true,"data":{}}"#) }
            for number in 1...20 { #expect(try await bob.next() == #"{"seq":\#(number)}"#) }
            // Behind what the ring holds from the beginning on: the log, then live.
            let carol = try await open(port, "carol")
            carol.send(#"{"type":"subscribe","id":"3"}"#)
            var seen: [String] = []
            while seen.count < 18 { seen.append(try await carol.next()) }
            #expect(seen.filter { !$0.contains("re") } == (4...20).map { #"{"seq":\#($0)}"# })
            let counters = try #require(await front.counters())
            #expect(counters.connections == 3 && counters.topics == 1 && counters.delivered >= 37)
            #expect(worker.lastLease?.settled != nil)
        }
    }

    @Test func whatWasUnavailableHasNoEffectWhenTheBrokerIsBack() async throws {
        let box = NIOLockedValueBox<FrontReadiness?>(nil)
        try await withFront({ $0.replyDeadline = .seconds(1) }, readiness: box) { port, worker, _, front in
            let alice = try await open(port)
            let readiness = try #require(box.withLockedValue { $0 })
            readiness.change { $0.isPublishing = false }
            alice.send(#"{"type":"append"}"#)
            #expect(try await alice.next().contains(#""code":"unavailable""#))
            readiness.change { $0.isPublishing = true }
            // Behind it, and answered: the first is no longer in the way, and not on its way either.
            alice.send(#"{"type":"whoami","id":"2"}"#)
            #expect(try await alice.next() == #"{"re":"2","ok":true,"data":"alice"}"#)
            #expect(!worker.seen.contains("append"))
        }
    }

    /// Whoever posts while a front starts, or finds its broker again, waits for it; an outage is told at once when it has lasted.
    @Test func postsWaitForAFrontThatIsServedSoon() async throws {
        let box = NIOLockedValueBox<FrontReadiness?>(nil)
        try await withFront(readiness: box) { port, _, _, _ in
            func post() async throws -> String { try await RawClient(port: port).http("POST", "/v1/messages", body: #"{"type":"whoami"}"#) }
            let readiness = try #require(box.withLockedValue { $0 })
            readiness.change { $0.isPublishing = false }
            async let early = post()
            try await Task.sleep(for: .milliseconds(200))
            readiness.change { $0.isPublishing = true }
            #expect(try await early.hasPrefix("HTTP/1.1 200"))
            readiness.change { $0.isPublishing = false }
            #expect(try await post().hasPrefix("HTTP/1.1 503"))
            let begin = ContinuousClock.now
            #expect(try await post().hasPrefix("HTTP/1.1 503"))
            #expect(ContinuousClock.now - begin < FrontReadiness.patience / 2)
        }
    }

    @Test func withoutABrokerNewSocketsAreRefusedAndTheOldOnesStay() async throws {
        let box = NIOLockedValueBox<FrontReadiness?>(nil)
        try await withFront(readiness: box) { port, worker, _, front in
            let alice = try await open(port)
            let readiness = try #require(box.withLockedValue { $0 })
            readiness.change { $0.isPublishing = false }
            for _ in 0..<3 {
                let client = try await RawClient(port: port)
                #expect(try await client.upgrade("/ws?token=\(try await token("bob"))").contains("503"))
            }
            #expect(await front.counters()?.connections == 1)
            readiness.change { $0.isPublishing = true }
            alice.send(#"{"type":"whoami","id":"1"}"#)
            #expect(try await alice.next() == #"{"re":"1","ok":true,"data":"alice"}"#)
            _ = try await open(port, "bob")
            #expect(worker.seen.filter { $0 == "$connect" }.count == 2)
        }
    }

    @Test func aFrontThatNoWorkerAnswersIsNotReady() async throws {
        try await withFront({ $0.lease = .seconds(1) }) { _, worker, _, front in
            func wait(_ isReady: Bool) async throws {
                while front.isReady != isReady { try await Task.sleep(for: .milliseconds(5)) }
            }
            try await wait(true)
            worker.setAway(true)
            try await wait(false)
            worker.setAway(false)
            try await wait(true)
            // It lasts, through twice the time of one answer: each counts.
            func leases() -> Int { worker.seen.count { $0 == SystemType.lease } }
            let before = leases()
            while leases() < before + 6 {
                #expect(front.isReady)
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    @Test func theLeaseIsRenewedWhileItDrains() async throws {
        try await withFront({
            $0.lease = .milliseconds(300)
            $0.replyDeadline = .seconds(3)
        }) { port, worker, group, _ in
            let alice = try await open(port)
            // Never finished: it keeps the drain waiting for three seconds.
            alice.send(#"{"type":"silence","id":"1"}"#)
            await group.triggerGracefulShutdown()
            while try await !alice.next().contains("$reconnect") {}
            let before = worker.seen.count { $0 == SystemType.lease }
            await #expect(throws: RawClient.Closed.self) { while true { _ = try await alice.next() } }
            #expect(worker.seen.count { $0 == SystemType.lease } >= before + 3)
        }
    }

    @Test func aPostponedMessageIsAnsweredLaterAndHoldsUpNothing() async throws {
        try await withFront { port, _, _, _ in
            let alice = try await open(port)
            alice.send(#"{"type":"later","id":"postponed"}"#)
            alice.send(#"{"type":"now","id":"1"}"#)
            #expect(try await alice.next() == #"{"re":"1","ok":true,"data":{}}"#)
            #expect(try await alice.next() == #"{"re":"postponed","ok":true}"#)
        }
    }

    @Test func whoMayConnect() async throws {
        try await withFront { port, _, _, _ in
            for (path, headers, status) in [
                ("/ws", [], "401"), ("/ws?token=x", [], "401"), ("/ws", ["Cookie: username=alice"], "401"),
                ("/ws?token=\(try await token("a"))", ["Origin: https://evil.example"], "403"),
                ("/ws", ["Authorization: Bearer \(try await token("a"))", "Origin: http://test"], "101"),
                ("/ws", ["Cookie: a=b; sparq_session=\(try await token("a"))"], "101"),
            ] {
                let client = try await RawClient(port: port)
                #expect(try await client.upgrade(path, headers).contains(status), "\(path) \(headers)")
            }
            let mallory = try await RawClient(port: port)
            _ = try await mallory.upgrade("/ws?token=\(try await token("mallory"))")
            await #expect(throws: RawClient.Closed.self) { try await mallory.next() }
            #expect(mallory.close == Close(CloseCode(rawValue: 4001), reason: "banned"))
        }
        try await withFront({ $0.devCookie = true }) { port, _, _, _ in
            let client = try await RawClient(port: port)
            #expect(try await client.upgrade("/ws", ["Cookie: username=alice"]).contains("101"))
        }
    }

    @Test func messagesByHTTP() async throws {
        try await withFront { port, _, _, _ in
            func post(_ body: String, _ headers: [String] = []) async throws -> String {
                try await RawClient(port: port).http("POST", "/v1/messages", headers, body: body)
            }
            let login = try await post(#"{"type":"login","id":"1"}"#)
            #expect(login.hasPrefix("HTTP/1.1 200") && login.contains(#"{"re":"1","ok":true,"data":{"token":""#))
            let cookie = try #require(login.split(separator: "\r\n").first { $0.lowercased().hasPrefix("set-cookie:") })
            for part in ["sparq_session=", "HttpOnly", "SameSite=Lax", "Path=/", "Secure", "Max-Age=604800"] {
                #expect(cookie.contains(part))
            }
            let session = cookie.split(separator: " ")[1].split(separator: ";")[0]
            #expect(try await post(#"{"type":"whoami"}"#, ["Cookie: \(session)"]).contains(#""data":"alice""#))
            #expect(try await post(#"{"type":"whoami"}"#).contains(#""data":"nobody""#))
            let logout = try await post(#"{"type":"logout"}"#, ["Cookie: \(session)"])
            #expect(logout.contains("sparq_session=;") && logout.contains("Max-Age=0"))
            for (body, headers, status, code) in [
                (#"{"type":"whoami"}"#, ["Authorization: Bearer x"], "401", "unauthenticated"),
                (#"{"type":"whoami"}"#, ["Cookie: \(session)", "Origin: https://evil.example"], "403", "forbidden"),
                (#"{"type":"whoami"}"#, ["Cookie: \(session)", "Sec-Fetch-Site: cross-site"], "403", "forbidden"),
                ("no", [], "400", "not_json"), (#"{"type":"what"}"#, [], "400", "unknown_type"),
                (#"{"type":"nobody","id":"7"}"#, [], "503", "unavailable"),
                (#"{"type":"\#(String(repeating: "x", count: 70_000))"}"#, [], "413", "too_large"),
            ] {
                let response = try await post(body, headers)
                #expect(
                    response.hasPrefix("HTTP/1.1 \(status)") && response.contains(#""code":"\#(code)""#),
                    "\(body.prefix(40)): \(response)"
                )
            }
        }
    }

    @Test func whoPostsTooMuchIsToldWhenToComeBack() async throws {
        try await withFront({
            ($0.requestsPerSecond, $0.requestBurst, $0.messagesPerSecond, $0.burst) = (1, 2, 1, 3)
            $0.forwardedHeader = "X-Forwarded-For"
        }) { port, _, _, _ in
            func post(_ headers: [String]) async throws -> String {
                try await RawClient(port: port).http("POST", "/v1/messages", headers, body: #"{"type":"whoami"}"#)
            }
            for (allowed, headers) in [
                (2, [] as [String]), (2, ["X-Forwarded-For: 10.0.0.7"]), (3, ["Authorization: Bearer \(try await token("alice"))"]),
            ] {
                // One may come by while these are under way.
                for _ in 0..<allowed { #expect(try await post(headers).hasPrefix("HTTP/1.1 200")) }
                let refused = [try await post(headers), try await post(headers)].last ?? ""
                #expect(refused.hasPrefix("HTTP/1.1 429") && refused.contains(#""code":"rate_limited""#), "\(refused)")
                #expect(refused.lowercased().contains("retry-after: 1\r\n"), "\(refused)")
            }
        }
    }

    /// Frames that are no messages cost work too.
    @Test(arguments: [Opcode.ping, .pong, .continuation])
    func framesWithoutAMessageCountAgainstTheRate(opcode: Opcode) async throws {
        try await withFront({ ($0.messagesPerSecond, $0.burst) = (1, 50) }) { port, _, _, _ in
            let alice = try await open(port)
            alice.send(#"{"type":"whoami","id":"1"}"#)
            #expect(try await alice.next() == #"{"re":"1","ok":true,"data":"alice"}"#)
            // Inside a message, where continuations belong.
            if opcode == .continuation { alice.send(.text, isFinal: false, times: 1) }
            alice.send(opcode, isFinal: opcode != .continuation, times: 100)
            if opcode == .continuation {
                alice.send(.continuation, times: 1)
            } else {
                alice.send(#"{"type":"whoami","id":"2"}"#)
            }
            #expect(try await alice.next().contains(#""code":"rate_limited""#))
        }
    }

    @Test func otherMethodsAreToldWhichThereAre() async throws {
        let folder = "/tmp/sparq-front-tests-\(UInt32.random(in: .min ... .max))"
        try TestFiles.write("let a = 1", to: folder, "app.js")
        try TestFiles.write("<p>chat</p>", to: folder, "index.html")
        defer { TestFiles.remove(folder) }
        try await withFront({ $0.webRoot = folder }) { port, _, _, _ in
            func answer(_ method: String, _ path: String) async throws -> String {
                try await RawClient(port: port).http(method, path).lowercased()
            }
            for (method, path, allow) in [
                ("GET", "/v1/messages", "post"), ("HEAD", "/v1/messages", "post"), ("DELETE", "/v1/messages", "post"),
                ("POST", "/healthz", "get, head"), ("PUT", "/readyz", "get, head"), ("POST", "/", "get, head"),
                ("POST", "/app.js", "get, head"),
            ] {
                let response = try await answer(method, path)
                #expect(
                    response.hasPrefix("http/1.1 405") && response.contains("\r\nallow: \(allow)\r\n"),
                    "\(method) \(path): \(response)"
                )
            }
            for (path, length) in [("/healthz", "6"), ("/readyz", nil), ("/app.js", "9"), ("/", "11")] as [(String, String?)] {
                let response = try await answer("HEAD", path)
                #expect(response.hasPrefix("http/1.1 200") && response.hasSuffix("\r\n\r\n"), "\(path): \(response)")
                if let length { #expect(response.contains("content-length: \(length)\r\n"), "\(path): \(response)") }
            }
            #expect(try await answer("POST", "/nothing").hasPrefix("http/1.1 404"))
            #expect(try await answer("GET", "/nothing").contains(#""code":"not_found""#))
            for path in ["/app.js%00.html", "/app.js%0a", "/%7f", "/healthz%00"] {
                #expect(try await answer("GET", path).hasPrefix("http/1.1 400"), "\(path)")
            }
        }
    }

    @Test func deadlines() async throws {
        try await withFront({ $0.replyDeadline = .milliseconds(200) }) { port, _, _, _ in
            let client = try await open(port)
            client.send(#"{"type":"silence","id":"1"}"#)
            #expect(try await client.next().hasPrefix(#"{"re":"1","ok":false,"error":{"code":"unavailable""#))
            let response = try await RawClient(port: port).http("POST", "/v1/messages", body: #"{"type":"silence"}"#)
            #expect(response.hasPrefix("HTTP/1.1 503"))
        }
    }

    @Test func healthAndFiles() async throws {
        let folder = "/tmp/sparq-front-tests-\(UInt32.random(in: .min ... .max))"
        try TestFiles.write("<p>chat</p>", to: folder, "index.html")
        defer { TestFiles.remove(folder) }
        try await withFront({ $0.webRoot = folder }) { port, _, _, front in
            func get(_ path: String) async throws -> String { try await RawClient(port: port).http("GET", path) }
            #expect(try await get("/healthz").hasPrefix("HTTP/1.1 200"))
            while !front.isReady { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await get("/readyz").contains(#"{"ready":true,"publishing":true,"consuming":true,"lease":true,"draining":false}"#))
            let page = try await get("/")
            #expect(page.contains("<p>chat</p>") && page.lowercased().contains("etag:") && page.contains("text/html"))
            for path in ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/nothing"] {
                let response = try await get(path)
                #expect(!response.contains("root:") && !response.hasPrefix("HTTP/1.1 200"), "\(path)")
            }
        }
    }

    @Test func drain() async throws {
        try await withFront { port, worker, group, _ in
            let alice = try await open(port)
            await group.triggerGracefulShutdown()
            #expect(try await alice.next().hasPrefix(#"{"type":"$reconnect","after_ms":"#))
            await #expect(throws: RawClient.Closed.self) { try await alice.next() }
            #expect(alice.close?.code == .serviceRestart)
            while worker.lastLease?.leaving != true { try await Task.sleep(for: .milliseconds(5)) }
            #expect(worker.seen.contains("$disconnect"))
        }
    }

    @Test func settingsThatMakeNoSense() {
        for change: (inout FrontConfiguration) -> Void in [
            { $0.node = "a b" }, { $0.port = -1 }, { $0.sessionSecret = "short" }, { $0.inFlight = 0 }, { $0.replyDeadline = .zero },
            { $0.contentSecurityPolicy = "" }, { $0.contentSecurityPolicy = "default-src 'none'\r\nX: y" },
        ] {
            var configuration = FrontConfiguration(broker: AMQPConfiguration(host: "127.0.0.1"), sessionSecret: Self.secret)
            change(&configuration)
            #expect(throws: FrontError.self) { try Front(configuration: configuration, logger: Logger(label: "test")) }
        }
    }
}
