import NIOCore
import Testing

@testable import SparqClient

@Suite struct UpgradeExchangeTests {
    // The example of RFC 6455, section 1.3.
    static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    static func exchange() throws -> UpgradeExchange {
        let endpoint = try Endpoint("ws://localhost:8080/ws?x=1")
        return UpgradeExchange(endpoint: endpoint, token: "abc", headers: [("Cookie", "username=ann")], key: key)
    }

    @Test func theRequestSaysWhoAndWhere() throws {
        let text = String(buffer: try Self.exchange().request)
        #expect(text.hasPrefix("GET /ws?x=1 HTTP/1.1\r\nHost: localhost:8080\r\n"))
        #expect(text.contains("Authorization: Bearer abc\r\n") && text.contains("Cookie: username=ann\r\n") && text.hasSuffix("\r\n\r\n"))
    }

    @Test func aProvenUpgradeLeavesTheFramesBehindIt() throws {
        let exchange = try Self.exchange()
        var bytes = ByteBuffer(string: "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: \(Self.accept)\r\n")
        #expect(exchange.read(&bytes) == .incomplete)
        bytes.writeString("\r\nrest")
        #expect(exchange.read(&bytes) == .upgraded)
        #expect(String(buffer: bytes) == "rest")
    }

    @Test(
        arguments: [
            ("HTTP/1.1 401 Unauthorized\r\n\r\n", 401), ("HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: nonsense\r\n\r\n", nil),
            ("HTTP/1.1 101 OK\r\n\r\n", nil), ("SSH-2.0\r\n\r\n", nil), (String(repeating: "x", count: 20_000), nil),
        ] as [(String, Int?)]
    )
    func anythingElseIsRefused(text: String, status: Int?) throws {
        var bytes = ByteBuffer(string: text)
        #expect(try Self.exchange().read(&bytes) == .refused(status: status))
    }

    @Test func aRefusalSaysWhenToComeBack() throws {
        func refusal(_ header: String) throws -> UpgradeExchange.Outcome {
            var bytes = ByteBuffer(string: "HTTP/1.1 503 Service Unavailable\r\n\(header)\r\n\r\n")
            return try Self.exchange().read(&bytes)
        }
        #expect(try refusal("retry-After: 7") == .refused(status: 503, retryAfter: 7))
        #expect(try refusal("Retry-After: Wed, 21 Oct 2026 07:28:00 GMT") == .refused(status: 503, retryAfter: nil))
        #expect(try refusal("X: Retry-After: 7") == .refused(status: 503, retryAfter: nil))
    }

    @Test(arguments: ["", "https://a/ws", "http://a", "ws://", "wss:///ws", "no url at all"])
    func onlyWebSocketURLsAreTaken(url: String) {
        #expect(throws: ClientError.self) { try Endpoint(url) }
    }

    @Test func theSchemeSaysWhetherTLSComesFirstAndTheHostWhomItAsksFor() throws {
        let plain = try Endpoint("ws://localhost/ws")
        #expect(!plain.isSecure && plain.port == 80 && plain.serverName == "localhost")
        let secure = try Endpoint("WSS://example.org/ws")
        #expect(secure.isSecure && secure.port == 443 && secure.serverName == "example.org")
        #expect(try Endpoint("wss://example.org:8443/ws").port == 8443)
        for numeric in ["wss://127.0.0.1/ws", "wss://[::1]/ws"] { #expect(try Endpoint(numeric).serverName == nil) }
    }
}
