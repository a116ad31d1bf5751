import NIOCore
import Testing
import SparqWebSocket

@testable import SparqFront

@Suite(.timeLimit(.minutes(1))) struct PingTests {
    private func pings(_ numbers: Range<Int>, _ encoder: FrameEncoder) -> ByteBuffer {
        var bytes = ByteBuffer()
        for number in numbers { bytes.writeImmutableBuffer(encoder.ping(ByteBuffer(string: "\(number)"))) }
        return bytes
    }

    @Test func aFewPingsOfOneReadAreAnsweredEach() async throws {
        try await withServer { running in
            let client = try await TestClient.open(running.port)
            try await client.send(frame: self.pings(0..<10, client.encoder))
            for number in 0..<10 { #expect(await client.next() == .pong(ByteBuffer(string: "\(number)"))) }
        }
    }

    /// RFC 6455, section 5.5.3: the most recent one suffices.
    @Test func ofAFloodTheLastPingOfEachReadIsAnswered() async throws {
        try await withServer { running in
            let client = try await TestClient.open(running.port)
            let count = 20_000
            try await client.send(frame: self.pings(0..<count, client.encoder))
            var seen: [Int] = []
            while seen.last != count - 1, case .pong(let payload)? = await client.next() { seen.append(Int(String(buffer: payload)) ?? -1) }
            #expect(seen.last == count - 1 && seen == seen.sorted())
            #expect(seen.count < count / 20, "\(seen.count)")
        }
    }

    @Test func pendingPingsAreAllOrTheLast() {
        func taken(_ count: Int) -> [Int] {
            var pings = PendingPings()
            for number in 0..<count { pings.add(ByteBuffer(integer: number)) }
            return pings.take().map { $0.getInteger(at: 0) ?? -1 }
        }
        #expect(taken(0) == [])
        #expect(taken(PendingPings.limit) == Array(0..<PendingPings.limit))
        #expect(taken(PendingPings.limit + 1) == [PendingPings.limit])
        #expect(taken(1000) == [999])
    }
}
