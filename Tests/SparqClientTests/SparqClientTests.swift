import Foundation
import Logging
import Synchronization
import Testing

@testable import SparqClient

/// The shell on real sockets.
@Suite(.timeLimit(.minutes(1))) struct SparqClientTests {
    static func client(_ urls: [String], _ change: (inout ClientConfiguration) -> Void = { _ in }) throws -> SparqClient {
        var configuration = ClientConfiguration(urls: urls, token: "abc")
        configuration.backoffBaseMilliseconds = 5
        configuration.seed = 0
        change(&configuration)
        return try SparqClient(configuration: configuration, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    @Test func aMessageIsAnsweredAndPingsAreToo() async throws {
        let server = try await LoopbackServer()
        let client = try Self.client([server.url])
        async let running: Void = client.run()
        let reply = try await client.send("say", ["text": "hi"])
        #expect(try reply.decode([String: String].self) == ["text": "hi"] && !reply.isRepeat)
        #expect(await client.state == .ready)
        // The pong went out before this.
        _ = try await client.send("say", ["text": "again"])
        #expect(server.state.withLock { $0.pongs } == 1)
        #expect(server.state.withLock { $0.authorization } == ["Bearer abc"])
        await client.close()
        try await running
        #expect(await client.state == .finished)
        await #expect(throws: ClientError.self) { try await client.send("say", ["text": "late"]) }
        await server.stop()
    }

    @Test func aLostReplyIsAskedForAgainAndTakesEffectOnce() async throws {
        let server = try await LoopbackServer()
        let client = try Self.client([server.url])
        async let running: Void = client.run()
        let reply = try await client.send("say", ["text": "break off"])
        #expect(reply.isRepeat)
        #expect(server.state.withLock { $0.effects } == ["break off": 1])
        #expect(await client.counters.connections == 2)
        #expect(await client.counters.resent == 1)
        await client.close()
        try await running
        await server.stop()
    }

    @Test func aFrontThatIsGoneIsPassedOver() async throws {
        let gone = try await LoopbackServer()
        let url = gone.url
        await gone.stop()
        let server = try await LoopbackServer()
        let client = try Self.client([url, server.url])
        async let running: Void = client.run()
        _ = try await client.send("say", ["text": "hi"])
        await client.close()
        try await running
        await server.stop()
    }

    @Test func aRefusedSessionEndsTheClientAndEveryCall() async throws {
        let server = try await LoopbackServer(refusesWith: 401)
        let client = try Self.client([server.url])
        let sending = Task { try await client.send("say", ["text": "hi"]) }
        do {
            try await client.run()
            Issue.record("run() returned")
        } catch {
            #expect(error.code == .unauthenticated)
        }
        await #expect(throws: ClientError.self) { try await sending.value }
        var events = 0
        for await _ in client.events { events += 1 }
        #expect(events == 0, "the events end")
        await server.stop()
    }

    @Test func theDeadlineAndCancellationEndTheWaiting() async throws {
        let server = try await LoopbackServer()
        let client = try Self.client([server.url])
        async let running: Void = client.run()
        do {
            _ = try await client.send("say", ["text": "stay silent"], deadline: .milliseconds(100))
            Issue.record("an answer came")
        } catch {
            #expect(error.code == .deadline)
        }
        let waiting = Task { try await client.send("say", ["text": "stay silent"]) }
        waiting.cancel()
        await #expect(throws: ClientError.self) { try await waiting.value }
        #expect(await client.machine.requests.isEmpty)
        await client.close()
        try await running
        await server.stop()
    }

    @Test func cancellingRunClosesTheClient() async throws {
        let server = try await LoopbackServer()
        let client = try Self.client([server.url])
        let running = Task { try await client.run() }
        _ = try await client.send("say", ["text": "hi"])
        running.cancel()
        try await running.value
        #expect(await client.state == .finished)
        await server.stop()
    }

    @Test func eventsComeOnceAndInOrderOverBrokenSockets() async throws {
        let server = try await LoopbackServer(logLength: 2_000)
        let client = try Self.client([server.url]) { $0.eventLimit = 64 }
        async let running: Void = client.run()
        _ = try await client.subscribe(["log": 0])
        var seqs: [Int] = []
        for await event in client.events {
            guard case .event(let event) = event, let seq = event.seq else { continue }
            seqs.append(seq)
            if seq % 500 == 250 { await client.breakOff() }
            if seq == 2_000 { break }
        }
        #expect(seqs == Array(1...2_000))
        let counters = await client.counters
        #expect(counters.repeated == 0 && counters.gaps == 0)
        await client.close()
        try await running
        await server.stop()
    }

    @Test func aSlowOwnerStopsTheReading() async throws {
        // 20 MB: more than the kernel's buffers of both sides take.
        let length = 80_000
        let server = try await LoopbackServer(logLength: length)
        let client = try Self.client([server.url]) { $0.eventLimit = 16 }
        async let running: Void = client.run()
        _ = try await client.subscribe(["log": 0])
        var written = -1
        // Until the server can write no more.
        while true {
            try await Task.sleep(for: .milliseconds(200))
            let now = server.state.withLock { $0.bytesWritten }
            if now == written { break }
            written = now
        }
        #expect(written < length * 240)
        #expect(await client.counters.events < length / 2, "the client read on")
        var last = 0
        for await event in client.events {
            if case .event(let event) = event, let seq = event.seq { last = seq }
            if last == length { break }
        }
        #expect(last == length)
        #expect(await client.counters.gaps == 0)
        await client.close()
        try await running
        await server.stop()
    }

    @Test func hundredsOfClientsShareOneProcess() async throws {
        let server = try await LoopbackServer(logLength: 5)
        let clients = try (0..<300).map { _ in try Self.client([server.url]) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in clients {
                group.addTask { try await client.run() }
                group.addTask {
                    _ = try await client.subscribe(["log": 0])
                    for number in 0..<5 { _ = try await client.send("say", ["text": "m\(number)"]) }
                    var count = 0
                    for await case .event in client.events {
                        count += 1
                        if count == 5 { break }
                    }
                    await client.close()
                }
            }
            try await group.waitForAll()
        }
        #expect(server.state.withLock { $0.effects.values.reduce(0, +) } == 1_500)
        await server.stop()
    }
}
