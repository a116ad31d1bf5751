import Foundation
import NIOCore
import ServiceLifecycle
import Testing

@testable import SparqFront

/// Requests of clients that are slow, never end, or never read.
@Suite(.timeLimit(.minutes(1))) struct RequestTests {
    private static let chunked = "POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    private static let proxied = "GET /hello HTTP/1.1\r\nHost: x\r\nProxy-Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"

    /// NIO's parser stops behind it, as behind one with `Connection`.
    @Test func anUpgradeByAnOlderNameIsTheLastRequest() async throws {
        try await withServer { running in
            let client = try await TestClient.connect(running.port)
            try await client.send(Self.proxied + TestClient.get)
            let answer = await client.rest()
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.lowercased().contains("connection: close"), "\(answer)")
            #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2)
        }
    }

    /// Sends a byte after the other until the server ends, and returns what it said.
    private func drip(_ client: TestClient, _ text: String) async -> String {
        let channel = client.channel
        let writer = Task {
            var rest = text.utf8[...]
            while !Task.isCancelled {
                try await channel.writeAndFlush(ByteBuffer(integer: rest.popFirst() ?? UInt8(ascii: "x")))
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        defer { writer.cancel() }
        return await client.rest()
    }

    @Test(arguments: ["Content-Length: 60000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"], [false, true])
    func aBodyHasATotalTime(head: String, isLater: Bool) async throws {
        try await withServer({ $0.bodyTimeout = .milliseconds(300) }) { running in
            let client = try await TestClient.connect(running.port)
            if isLater {
                try await client.send(TestClient.get)
                _ = await client.response()
            }
            let start = ContinuousClock.now
            try await client.send("POST /length HTTP/1.1\r\nHost: x\r\n" + head)
            let body = String(repeating: "1\r\nx\r\n", count: 1000)
            let answer = await self.drip(client, body)
            #expect(answer.hasPrefix("HTTP/1.1 408 Request Timeout"), "\(answer)")
            let took = start.duration(to: .now)
            #expect(took >= .milliseconds(250) && took < .seconds(5), "\(took)")
        }
    }

    @Test func aLaterHeadHasATotalTimeFromItsFirstByte() async throws {
        try await withServer({ $0.handshakeTimeout = .milliseconds(300) }) { running in
            let client = try await TestClient.connect(running.port)
            try await client.send(TestClient.get)
            _ = await client.response()
            try await Task.sleep(for: .milliseconds(400))
            // Idleness has another limit.
            try await client.send(TestClient.get)
            #expect(await client.response().hasSuffix("hello"))
            let start = ContinuousClock.now
            #expect(await self.drip(client, "GET /hello HTTP/1.1\r\nX: ") == "")
            #expect(start.duration(to: .now) < .seconds(5))
        }
    }

    @Test func anIdleConnectionIsClosed() async throws {
        try await withServer({ $0.httpIdleTimeout = .milliseconds(200) }) { running in
            let client = try await TestClient.connect(running.port)
            try await client.send(TestClient.get)
            _ = await client.response()
            #expect(await client.rest() == "")
        }
    }

    @Test(arguments: [false, true])
    func aRequestThatMeetsTheShutdownOnItsWayIsAnswered(isFirst: Bool) async throws {
        try await withServer { running in
            let client = try await TestClient.connect(running.port)
            // Whoever is behind it in the kernel's queue has an answer: so this one is in too.
            let witness = isFirst ? try await TestClient.connect(running.port) : client
            try await witness.send(TestClient.get)
            _ = await witness.response()
            await running.group.triggerGracefulShutdown()
            while (try? await TestClient.connect(running.port)) != nil {}
            try await client.send(TestClient.get)
            let answer = await client.rest()
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.lowercased().contains("connection: close"))
        }
    }

    @Test func aSilentClientDoesNotHoldUpTheShutdown() async throws {
        try await withServer { running in
            let client = try await TestClient.connect(running.port)
            let start = ContinuousClock.now
            await running.group.triggerGracefulShutdown()
            #expect(await client.rest() == "")
            try await running.ended()
            #expect(start.duration(to: .now) < .seconds(5))
        }
    }

    @Test(arguments: [false, true])
    func theDecisionAboutAHandshakeHasATime(isLater: Bool) async throws {
        try await withServer({ $0.handshakeTimeout = .milliseconds(500) }) { running in
            let client = try await TestClient.connect(running.port)
            if isLater {
                try await client.send(TestClient.get)
                _ = await client.response()
            }
            let start = ContinuousClock.now
            try await client.send(TestClient.handshake("/ws?slow"))
            #expect(await client.rest().hasPrefix("HTTP/1.1 408"))
            #expect(start.duration(to: .now) < .seconds(3))
        }
    }

    @Test func whoeverNeverReadsIsLeft() async throws {
        try await withServer({ ($0.responseTimeout, $0.responseBytesPerSecond) = (.milliseconds(300), 1 << 40) }) { running in
            let client = try await TestClient.connect(running.port, reads: false)
            try await client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            // The graceful end waits for no request that is stuck: the connection is gone before.
            try await Task.sleep(for: .milliseconds(1000))
            let start = ContinuousClock.now
            await running.group.triggerGracefulShutdown()
            try await running.ended()
            #expect(start.duration(to: .now) < .seconds(5))
        }
    }

    /// A million bytes of a kind that makes no part of a request, or of a body that nobody reads.
    @Test(arguments: [
        ("a chunk's extension", Self.chunked + "1;x=", "x", "400"),
        ("trailers", Self.chunked + "0\r\n", "Name: value\r\n", "431"),
        ("a field", "GET /hello HTTP/1.1\r\nX: ", "x", "431"),
        ("a target", "GET /", "x", "431"),
        ("a body that is read", Self.chunked, "5\r\n12345\r\n", "413"),
        ("a body that is too long at once", "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", "x", "413"),
        ("a body of a GET", "GET /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\n12345\r\n", "200"),
        ("a body for nobody", "POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\n12345\r\n", "404"),
        ("what follows a tunnel", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "x", "405"),
        ("what follows a refused handshake", TestClient.handshake("/ws?deny"), "x", "401"),
        ("what follows an upgrade by an older name", Self.proxied, "x", "200"),
        ("what follows a late upgrade", TestClient.get + TestClient.handshake("/hello"), "x", "200"),
    ])
    func nothingGrowsWithoutBound(name: String, head: String, more: String, status: String) async throws {
        try await withServer { running in
            let client = try await TestClient.connect(running.port)
            let count = 1_000_000 / more.utf8.count
            client.channel.writeAndFlush(ByteBuffer(string: head + String(repeating: more, count: count)), promise: nil)
            let answer = await client.rest()
            #expect(answer.hasPrefix("HTTP/1.1 \(status)") && answer.lowercased().contains("connection: close"), "\(name): \(answer)")
        }
    }

    @Test func aBodyIsAskedForWhereItsClientWaits() async throws {
        try await withServer { running in
            let client = try await TestClient.connect(running.port)
            let head = "POST /length HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: "
            for _ in 0..<2 {
                try await client.send(head + "5\r\n\r\n")
                #expect(await client.head() == "HTTP/1.1 100 Continue\r\n\r\n")
                try await client.send("12345")
                #expect(await client.response().hasSuffix("\r\n\r\n5"))
            }
            // One that has no place here is not asked for.
            try await client.send(head + "100000\r\n\r\n")
            #expect(await client.rest().hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test func aClientThatEndsItsSideIsAnswered() async throws {
        try await withServer { running in
            let client = try await TestClient.connect(running.port)
            try await client.send(TestClient.get + TestClient.get)
            try await client.channel.close(mode: .output)
            #expect(await client.rest().components(separatedBy: "\r\n\r\nhello").count == 3)
        }
    }

    @Test func anOlderClientKeepsItsConnectionWhereItAsks() async throws {
        try await withServer { running in
            let client = try await TestClient.connect(running.port)
            try await client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(await client.response().contains("Connection: keep-alive"))
            try await client.send("GET /hello HTTP/1.0\r\n\r\n")
            #expect(await client.rest().contains("Connection: close"))
        }
    }
}
