import NIOCore
import SparqWire
import Testing

@testable import SparqFront
@testable import SparqFrontCore

/// Work that must not grow faster than its input.
@Suite(.serialized) struct GrowthTests {
    private func live(_ id: ConnectionID, _ topic: String) -> ShardCommand {
        .subscribe(id, topic: topic, start: .live(cursor: 0, through: 0, frames: []))
    }

    /// Others on the same event loop cost it nothing.
    @Test func anInstructionForAUserLooksAtTheirConnectionsAlone() throws {
        let ratio = try Growth.ratio(small: 100, large: 1600) { count in
            let test = TestShard()
            for number in 0..<count { _ = try test.open(user: "u\(number)") }
            let commands = (0..<500).map { ShardCommand.unsubscribe(.user("u\($0 % 100)"), topics: ["a"]) }
            return { test.shard.apply(commands) }
        }
        #expect(ratio < 5, "16 times as many connections take \(ratio) times as long")
    }

    @Test func theIndexOfUsersFollowsTheConnections() throws {
        let test = TestShard()
        var generator = SeededGenerator(seed: 3)
        var open: [(connection: Connection, socket: FakeSocket)] = []
        for round in 0..<400 {
            if open.count < 4 || generator.chance(55) {
                let (connection, socket) = try test.open(user: "u\(round % 3)")
                test.shard.apply([live(connection.id, "a")])
                open.append((connection, socket))
            } else {
                let (connection, _) = open.remove(at: Int.random(in: 0..<open.count, using: &generator))
                connection.closed()
                test.turn()
                _ = try test.forwarder.takeEnvelopes()
            }
        }
        var gone: Set<String> = []
        for user in ["u0", "nobody", "u2", "u1"] {
            test.shard.apply([.disconnect(.user(user), code: 4003, reason: "")])
            gone.insert(user)
            for (connection, socket) in open { #expect((socket.closed != nil) == gone.contains(connection.user)) }
        }
    }

    @Test func unsubscribingOfManyTopicsGrowsWithTheirNumber() throws {
        let ratio = try Growth.ratio(small: 1000, large: 8000) { count in
            let test = TestShard()
            let names = (0..<count).map { "room:\($0)" }
            // The others' places move when one goes.
            for _ in 0..<2 {
                let (connection, _) = try test.open()
                for name in names { test.shard.apply([live(connection.id, name)]) }
            }
            return { test.shard.apply([.unsubscribe(.user("alice"), topics: names)]) }
        }
        #expect(ratio < 30, "8 times as many topics take \(ratio) times as long")
    }

    /// `e` and an accent of its own: Swift takes it for `é`, and looks long.
    private static let spellings = ["e", "e\u{301}"]

    private static func names(_ spelling: Int) -> [String] {
        let text = spellings[spelling]
        return (0..<Topic.messageLimit).map { "\($0)" + String(repeating: text, count: 120 / text.utf8.count) }
    }

    @Test func namesInAnotherFormCostNoMore() throws {
        let asked = try Growth.ratio(small: 0, large: 1) { spelling in
            let members = Self.names(spelling).map { "\"\($0)\":null" }.joined(separator: ",")
            let frame = try #require(SubscribeFrame(Array("{\"topics\":{\(members)}}".utf8)))
            return {
                for _ in 0..<10 {
                    #expect(frame.topics.count == Topic.messageLimit && frame.message(id: nil, without: Array(frame.topics)) == nil)
                }
            }
        }
        #expect(asked < 4, "\(asked) times as long")
        let ended = try Growth.ratio(small: 0, large: 1) { spelling in
            let test = TestShard()
            let (connection, _) = try test.open()
            test.shard.apply([live(connection.id, "a")])
            let command = ShardCommand.unsubscribe(.connection(connection.id), topics: Self.names(spelling))
            return { for _ in 0..<10 { test.shard.apply([command]) } }
        }
        #expect(ended < 4, "\(ended) times as long")
    }

    @Test func aClosedSocketGrowsWithItsTopics() throws {
        let ratio = try Growth.ratio(small: 1000, large: 8000) { count in
            let test = TestShard()
            let connections = try (0..<2).map { _ in try test.open().0 }
            for connection in connections { for number in 0..<count { test.shard.apply([live(connection.id, "room:\(number)")]) } }
            return { withExtendedLifetime(test) { connections[0].closed() } }
        }
        #expect(ratio < 30, "8 times as many topics take \(ratio) times as long")
    }

    /// Places and indexes point at each other, whoever goes.
    @Test func subscriptionsAndSubscribersKnowEachOthersPlaces() throws {
        let test = TestShard()
        var generator = SeededGenerator(seed: 7)
        let connections = try (0..<6).map { try test.open(user: "u\($0)").0 }
        let names = (0..<12).map { "room:\($0)" }
        for _ in 0..<2000 {
            guard let connection = connections.randomElement(using: &generator) else { return }
            let some = names.shuffled(using: &generator).prefix(Int.random(in: 1...5, using: &generator))
            if generator.chance(50) {
                test.shard.apply(some.map { live(connection.id, $0) })
            } else {
                test.shard.apply([.unsubscribe(.connection(connection.id), topics: Array(some))])
            }
            for (place, subscription) in connection.subscriptions.enumerated() {
                let entry = subscription.topic.entries[subscription.index]
                #expect(entry.connection === connection && Int(entry.place) == place)
            }
        }
        #expect(connections.reduce(0) { $0 + $1.subscriptions.count } == test.shard.topics.values.reduce(0) { $0 + $1.entries.count })
    }

    /// Pages of one event each, while much is held beyond a gap.
    @Test func aPageDoesNotLookAtAllThatIsHeld() {
        let limits = HoldLimits(events: 1 << 20, bytes: 1 << 30)
        let ratio = Growth.ratio(small: 500, large: 32_000) { count in
            var stream = FrameStream(position: 0)
            var released: [FrameStream.Release] = []
            for seq in 0..<count { stream.event(1000 + seq, ByteBuffer(), now: 0, hold: limits, into: &released) }
            return {
                for seq in 0..<200 {
                    stream.page(after: seq, first: seq + 1, head: 500, version: 0, frames: [ByteBuffer()], now: 0, into: &released)
                }
            }
        }
        #expect(ratio < 10, "64 times as many held events take \(ratio) times as long")
    }
}
