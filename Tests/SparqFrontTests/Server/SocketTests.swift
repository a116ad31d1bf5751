import NIOCore
import ServiceLifecycle
import Testing
import SparqWebSocket

@testable import SparqFront

@Suite(.timeLimit(.minutes(1))) struct SocketTests {
    private func end(_ acceptor: TestAcceptor) async -> SocketEnd? {
        for await event in acceptor.events {
            if case .closed(let end) = event { return end }
        }
        return nil
    }

    @Test func answersTheClientsClose() async throws {
        try await withServer { running in
            let client = try await TestClient.open(running.port)
            try await client.send(frame: client.encoder.close(CloseCode(rawValue: 3001), reason: "bye"))
            guard case .close(let answer, _)? = await client.next() else {
                Issue.record("no answer")
                return
            }
            #expect(answer == Close(CloseCode(rawValue: 3001)))
            #expect(await self.end(running.acceptor) == SocketEnd(cause: .peer, close: Close(CloseCode(rawValue: 3001), reason: "bye")))
            #expect(await client.next() == nil)
        }
    }

    @Test func cutsOffAClientThatDoesNotAnswerAClose() async throws {
        try await withServer { running in
            let client = try await TestClient.open(running.port)
            try await running.acceptor.onSocket { $0.close(.goingAway, reason: "drain") }
            guard case .close(let close, _)? = await client.next() else {
                Issue.record("no close frame")
                return
            }
            #expect(close == Close(.goingAway, reason: "drain"))
            #expect(await self.end(running.acceptor) == SocketEnd(cause: .local, close: close))
            #expect(await client.next() == nil)
            await running.server.sockets.allClosed()
        }
    }

    @Test func aHalfClosedPeerIsGone() async throws {
        try await withServer { running in
            let client = try await TestClient.open(running.port)
            try await client.channel.close(mode: .output)
            #expect(await self.end(running.acceptor) == SocketEnd(cause: .lost, close: Close(.abnormal)))
            #expect(await client.next() == nil)
        }
    }

    @Test func anOversizedMessageGets1009WhileItStillArrives() async throws {
        try await withServer { running in
            let client = try await TestClient.open(running.port)
            try await client.send(frame: client.encoder.text(String(repeating: "a", count: 65_536)))
            guard case .text(let whole)? = await client.next() else {
                Issue.record("the limit itself is not allowed")
                return
            }
            #expect(whole.readableBytes == 65_536)
            client.channel.writeAndFlush(client.encoder.text(String(repeating: "a", count: 65_537)), promise: nil)
            client.channel.writeAndFlush(client.encoder.text(String(repeating: "a", count: 500_000)), promise: nil)
            guard case .close(let close, _)? = await client.next() else {
                Issue.record("no close frame")
                return
            }
            #expect(close.code == .messageTooBig)
            #expect(await self.end(running.acceptor)?.cause == .violation)
        }
    }

    @Test func brokenTextGets1007() async throws {
        try await withServer { running in
            let client = try await TestClient.open(running.port)
            try await client.send(frame: client.encoder.frame(.text, payload: [0x61, 0xFF]))
            guard case .close(let close, _)? = await client.next() else {
                Issue.record("no close frame")
                return
            }
            #expect(close.code == .invalidPayload)
            #expect(await client.next() == nil)
        }
    }

    @Test func pausedReadingHoldsTheClientBack() async throws {
        try await withServer { running in
            let client = try await TestClient.open(running.port)
            try await running.acceptor.onSocket { $0.pauseReading() }
            let frame = client.encoder.binary(ByteBuffer(repeating: 1, count: 60_000))
            let count = 1000
            for _ in 0..<count { client.channel.write(frame, promise: nil) }
            client.channel.flush()
            // Until the kernel's buffers are full: nothing moves any more, and most of it is still here.
            var buffered = [Int.max, Int.max - 1]
            while buffered[0] != buffered[1] {
                buffered = [buffered[1], try await client.channel.getOption(.bufferedWritableBytes).get()]
                try await Task.sleep(for: .milliseconds(150))
            }
            #expect(buffered[1] > 30_000_000)
            try await running.acceptor.onSocket { $0.resumeReading() }
            var received = 0
            for await event in running.acceptor.events {
                if case .binary(60_000) = event { received += 1 }
                if received == count { break }
            }
            #expect(received == count)
        }
    }

    @Test func aSlowReaderIsSeen() async throws {
        try await withServer { running in
            let client = try await TestClient.open(running.port)
            try await client.channel.setOption(.autoRead, value: false).get()
            let frame = FrameEncoder(role: .server).binary(ByteBuffer(repeating: 1, count: 1 << 20))
            let buffered = try await running.acceptor.onSocket { socket in
                for _ in 0..<32 { socket.write(frame: frame) }
                socket.flush()
                return socket.bufferedBytes
            }
            #expect(buffered > 8 << 20)
            try await client.channel.setOption(.autoRead, value: true).get()
            for _ in 0..<32 { #expect(await client.next() == .binary(ByteBuffer(repeating: 1, count: 1 << 20))) }
            var seen: [Bool] = []
            for await event in running.acceptor.events {
                if case .writable(let writable) = event { seen.append(writable) }
                if seen.count == 2 { break }
            }
            #expect(seen == [false, true])
        }
    }

    @Test func aClientWithoutPongsIsDeadAndOneWithThemLives() async throws {
        func quick(_ configuration: inout FrontServerConfiguration) {
            configuration.socket.pingInterval = .milliseconds(50)
            configuration.socket.pongTimeout = .seconds(1)
        }
        try await withServer(quick) { running in
            let client = try await TestClient.open(running.port)
            var since = ContinuousClock.now
            for _ in 0..<5 {
                guard case .ping(let payload)? = await client.next() else {
                    Issue.record("no ping")
                    return
                }
                since = .now
                try await client.send(frame: client.encoder.pong(payload))
            }
            let close = Close(CloseCode(rawValue: 4009), reason: "no pong")
            #expect(await self.end(running.acceptor) == SocketEnd(cause: .pongTimeout, close: close))
            #expect(since.duration(to: .now) >= .milliseconds(900))
            // It lives, and only answers no pings: it learns why.
            while let action = await client.next() {
                guard case .ping = action else {
                    guard case .close(let told, _) = action else { break }
                    #expect(told == close)
                    return
                }
            }
            Issue.record("the client was not told")
        }
    }

    /// Its pongs may stand behind what is held; it must not take this side for dead meanwhile.
    @Test func aClientThatIsNotReadHearsPingsAndOwesNoPong() async throws {
        func quick(_ configuration: inout FrontServerConfiguration) {
            configuration.socket.pingInterval = .milliseconds(50)
            configuration.socket.pongTimeout = .seconds(1)
        }
        try await withServer(quick) { running in
            let client = try await TestClient.open(running.port)
            try await running.acceptor.onSocket { $0.pauseReading() }
            let start = ContinuousClock.now
            while start.duration(to: .now) < .milliseconds(1500) {
                guard case .ping? = await client.next() else {
                    Issue.record("no ping")
                    return
                }
            }
            try await running.acceptor.onSocket { $0.resumeReading() }
            try await client.send(frame: client.encoder.text("still here"))
            while let action = await client.next() {
                if action == .text(ByteBuffer(string: "still here")) { return }
            }
            Issue.record("the socket was ended")
        }
    }

    @Test func aShutdownLeavesSocketsAndEndsTheRest() async throws {
        try await withServer { running in
            let client = try await TestClient.open(running.port)
            let silent = try await TestClient.connect(running.port)
            let keepAlive = try await TestClient.connect(running.port)
            try await keepAlive.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await keepAlive.head().hasPrefix("HTTP/1.1 200"))
            let start = ContinuousClock.now
            await running.group.triggerGracefulShutdown()
            try await running.ended()
            #expect(start.duration(to: .now) < .seconds(5))
            #expect(await silent.rest() == "")
            await #expect(throws: (any Error).self) { _ = try await TestClient.connect(running.port) }
            // The socket is the caller's to drain.
            try await client.send(frame: client.encoder.text("still here"))
            #expect(await client.next() == .text(ByteBuffer(string: "still here")))
            #expect(running.server.sockets.count == 1)
            running.server.sockets.closeAll(.serviceRestart, reason: "drain")
            guard case .close(let close, let answer?)? = await client.next() else {
                Issue.record("no close frame")
                return
            }
            #expect(close.code == .serviceRestart)
            try await client.send(frame: answer)
            await running.server.sockets.allClosed()
        }
    }

    @Test func aShutdownDoesNotWaitForeverForARequest() async throws {
        try await withServer({ $0.shutdownTimeout = .milliseconds(200) }) { running in
            let stuck = try await TestClient.connect(running.port)
            try await stuck.send("GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n")
            for await _ in running.requests { break }
            let start = ContinuousClock.now
            await running.group.triggerGracefulShutdown()
            try await running.ended()
            let took = start.duration(to: .now)
            #expect(took >= .milliseconds(200))
            #expect(took < .seconds(5))
        }
    }
}
