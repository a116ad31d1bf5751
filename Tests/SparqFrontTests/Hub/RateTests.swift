import NIOCore
import SparqWire
import Testing
import SparqWebSocket

@testable import SparqFront

/// What a client sends beyond its rate costs the loop no more than the rate.
@Suite struct RateTests {
    private let second = 1_000_000_000

    private func shard() -> TestShard {
        var settings = ConnectionSettings(node: "f-test")
        settings.messagesPerSecond = 100
        settings.burst = 200
        return TestShard(settings: settings)
    }

    /// Hands messages over as a socket does that has read them all: until it is paused. Returns how many were taken.
    private func pump(_ socket: FakeSocket, _ count: Int, _ message: () -> Void) -> Int {
        for number in 0..<count {
            if socket.isPaused { return number }
            message()
        }
        return count
    }

    @Test(arguments: ["{}", #"{"type":"$ping"}"#, "binary"])
    func ofAFloodAsManyAreRefusedAsMayBeSentAndTheRestWaits(_ text: String) throws {
        let test = shard()
        let (connection, socket) = try test.open()
        func send() { if text == "binary" { connection.receivedBinary() } else { test.receive(connection, text) } }
        #expect(pump(socket, 16_000, send) == 400)
        func refusals() -> Int { socket.takeTexts().count { $0.contains(#""code":"rate_limited""#) } }
        #expect(refusals() == 200)
        // A flood that lasts has its rate, once more as refusals.
        var (taken, refused) = (0, 0)
        for _ in 0..<20 {
            test.now += second / 2
            test.shard.sweep()
            #expect(!socket.isPaused)
            taken += pump(socket, 16_000, send)
            refused += refusals()
        }
        #expect((1000...2100).contains(taken) && refused <= 1010, "\(taken), \(refused)")
        #expect(socket.closed == nil)
    }

    /// `rate_limited` is told, with the `id`, to who is modestly beyond, and reading goes on.
    @Test func whoIsModestlyBeyondIsToldOfEach() throws {
        let test = shard()
        let (connection, socket) = try test.open()
        for number in 0..<300 { test.receive(connection, #"{"type":"","id":"\#(number)"}"#) }
        let texts = socket.takeTexts()
        #expect(texts.count == 300 && texts.suffix(100).allSatisfy { $0.contains(#""code":"rate_limited""#) })
        #expect(texts.last?.hasPrefix(#"{"re":"299""#) == true && !socket.isPaused)
    }

    @Test func whoeverGoesWhileItRestsIsForgotten() throws {
        let test = shard()
        let (connection, socket) = try test.open()
        _ = pump(socket, 1000) { test.receive(connection, "{}") }
        #expect(socket.isPaused && test.shard.restingConnections.count == 1)
        connection.closed()
        test.shard.sweep()
        #expect(test.shard.restingConnections.isEmpty)
    }
}
