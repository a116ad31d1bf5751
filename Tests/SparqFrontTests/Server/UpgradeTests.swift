import Foundation
import NIOCore
import Testing
import SparqWebSocket

@testable import SparqFront

@Suite(.timeLimit(.minutes(1))) struct UpgradeTests {
    @Test func upgradesAndKeepsWhatFollowedTheRequest() async throws {
        // No later event may be what brings the answer.
        try await withServer({ $0.socket.pingInterval = .hours(1) }) { running in
            let client = try await TestClient.connect(running.port)
            var bytes = ByteBuffer(string: TestClient.handshake("/ws?token=1"))
            bytes.writeImmutableBuffer(client.encoder.text("early"))
            try await client.send(frame: bytes)
            let head = await client.head()
            #expect(head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
            #expect(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
            #expect(head.contains("X-Node: n1"))
            #expect(await client.next() == .text(ByteBuffer(string: "early")))
            #expect(running.server.sockets.count == 1)
        }
    }

    /// Older Dart and Vapor send it.
    @Test func aBodyOfNoBytesIsNone() async throws {
        try await withServer { running in
            let client = try await TestClient.connect(running.port)
            try await client.send(TestClient.handshake().dropLast() + "Content-Length: 0\r\n\r\n")
            #expect(await client.head().hasPrefix("HTTP/1.1 101"))
            try await client.send(frame: client.encoder.text("hello"))
            #expect(await client.next() == .text(ByteBuffer(string: "hello")))
        }
    }

    /// Balancers use connections to a server again.
    @Test func aHandshakeMayBeALaterRequest() async throws {
        try await withServer { running in
            let client = try await TestClient.connect(running.port)
            for _ in 0..<2 {
                try await client.send(TestClient.get)
                #expect(await client.response().hasSuffix("hello"))
            }
            var bytes = ByteBuffer(string: TestClient.get + TestClient.handshake())
            bytes.writeImmutableBuffer(client.encoder.text("early"))
            try await client.send(frame: bytes)
            #expect(await client.response().hasSuffix("hello"))
            #expect(await client.head().hasPrefix("HTTP/1.1 101"))
            #expect(await client.next() == .text(ByteBuffer(string: "early")))
            try await client.send(frame: client.encoder.text("late"))
            #expect(await client.next() == .text(ByteBuffer(string: "late")))
        }
    }

    /// RFC 9110, section 7.8; Java's client sends the first of them by itself.
    @Test(arguments: [
        "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n\r\n",
        "POST /length HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
            + "Content-Length: 5\r\n\r\n12345",
        "POST /length HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: TLS/1.0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n",
        TestClient.handshake("/hello"),
    ])
    func anUpgradeThatIsNotOursIsIgnored(request: String) async throws {
        try await withServer { running in
            for isLater in [false, true] {
                let client = try await TestClient.connect(running.port)
                if isLater {
                    try await client.send(TestClient.get)
                    _ = await client.response()
                }
                // Once with the next request close behind it, and once alone.
                let body = request.hasPrefix("POST") ? "5" : "hello"
                try await client.send(request + TestClient.get + request)
                for body in [body, "hello", body] {
                    let answer = await client.response()
                    #expect(answer.hasPrefix("HTTP/1.1 200 OK") && answer.hasSuffix("\r\n\r\n\(body)"), "\(answer)")
                }
                try await client.send(TestClient.get)
                #expect(await client.response().hasSuffix("hello"))
                try await client.send(TestClient.handshake())
                #expect(await client.head().hasPrefix("HTTP/1.1 101"))
            }
        }
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let request: String
        let status: String
        let contains: String
    }

    static let refused = [
        Refused(
            testDescription: "no rights",
            request: TestClient.handshake("/ws?deny"),
            status: "401 Unauthorized",
            contains: "WWW-Authenticate: Bearer"
        ),
        Refused(
            testDescription: "another path",
            request: TestClient.handshake("/other").replacingOccurrences(of: "keep-alive", with: "close"),
            status: "404 Not Found",
            contains: "Connection: close"
        ),
        Refused(
            testDescription: "a tunnel",
            request: "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n",
            status: "405 Method Not Allowed",
            contains: "Allow: GET"
        ),
        Refused(
            testDescription: "a handshake by POST",
            request: TestClient.handshake().replacingOccurrences(of: "GET", with: "POST"),
            status: "405 Method Not Allowed",
            contains: "Allow: GET"
        ),
        Refused(
            testDescription: "a NUL in the path",
            request: "GET /hello%00.html HTTP/1.1\r\nHost: x\r\n\r\n",
            status: "400 Bad Request",
            contains: "bad_request"
        ),
        Refused(
            testDescription: "a NUL in a handshake's path",
            request: TestClient.handshake("/ws%00"),
            status: "400 Bad Request",
            contains: "bad_request"
        ),
        Refused(
            testDescription: "an unknown expectation",
            request: "POST /length HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nContent-Length: 5\r\n\r\n",
            status: "417 Expectation Failed",
            contains: "expectation_failed"
        ),
        Refused(
            testDescription: "HTTP/2",
            request: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + String(repeating: "x", count: 100_000),
            status: "400 Bad Request",
            contains: "bad_request"
        ),
        Refused(
            testDescription: "a handshake with a body",
            request: TestClient.handshake().dropLast() + "Content-Length: 5\r\n\r\n12345",
            status: "400 Bad Request",
            contains: "bad_handshake"
        ),
        Refused(
            testDescription: "version 8",
            request: TestClient.handshake(version: "8"),
            status: "426 Upgrade Required",
            contains: "Sec-WebSocket-Version: 13"
        ),
        Refused(
            testDescription: "no upgrade",
            request: "GET /ws HTTP/1.1\r\nHost: x\r\n\r\n",
            status: "426 Upgrade Required",
            contains: "Upgrade: websocket"
        ),
        Refused(
            testDescription: "bad key",
            request: TestClient.handshake(key: "c2hvcnQ="),
            status: "400 Bad Request",
            contains: "bad_handshake"
        ),
        Refused(testDescription: "not HTTP", request: "\u{1}\u{2}\u{3}\r\n\r\n", status: "400 Bad Request", contains: "bad_request"),
        Refused(
            testDescription: "large headers",
            request: "GET /hello HTTP/1.1\r\nX: " + String(repeating: "x", count: 20_000) + "\r\n\r\n",
            status: "431 Request Header Fields Too Large",
            contains: "headers_too_large"
        ),
    ]

    @Test(arguments: Self.refused)
    func refuses(_ refused: Refused) async throws {
        try await withServer { running in
            let client = try await TestClient.connect(running.port)
            try await client.send(refused.request)
            let answer = await client.rest()
            #expect(answer.hasPrefix("HTTP/1.1 \(refused.status)\r\n"), "\(answer)")
            #expect(answer.contains(refused.contains), "\(answer)")
            #expect(running.server.sockets.count == 0)
        }
    }

    @Test func servesHTTPWithKeepAliveAndPipelining() async throws {
        try await withServer { running in
            let client = try await TestClient.connect(running.port)
            let get = TestClient.get
            let post = "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345"
            let head = "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n"
            // A request for an upgrade that is not ours is answered as an ordinary one.
            try await client.send(get + post + head + TestClient.handshake("/hello"))
            try await client.channel.close(mode: .output)
            let answers = await client.rest()
            #expect(answers.components(separatedBy: "HTTP/1.1 200 OK").count >= 4, "\(answers)")
            #expect(answers.contains("\r\n\r\n5"))
        }
    }

    @Test func aSilentConnectionIsClosedAtTheDeadline() async throws {
        try await withServer({ $0.handshakeTimeout = .milliseconds(100) }) { running in
            let silent = try await TestClient.connect(running.port)
            #expect(await silent.rest() == "")
            let half = try await TestClient.connect(running.port)
            try await half.send("GET /hello HTTP/1.1\r\nHost: x\r\n")
            #expect(await half.rest() == "")
        }
    }
}
