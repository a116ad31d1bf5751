import Foundation
import NIOCore
import Testing
import WebSocket

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
        Refused(testDescription: "another path", request: TestClient.handshake("/other"), status: "404 Not Found", contains: "not_found"),
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
        Refused(
            testDescription: "origin",
            request: TestClient.handshake(origin: "http://evil"),
            status: "403 Forbidden",
            contains: "origin_not_allowed"
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
        try await withServer({ $0.isOriginAllowed = { $0 != "http://evil" } }) { running in
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
            let get = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
            let post = "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345"
            let head = "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n"
            // A later request for an upgrade is answered as an ordinary one, and is the last.
            try await client.send(get + post + head + TestClient.handshake("/hello"))
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
