import SparqWire
import Testing
import SparqWebSocket

@testable import SparqFront

/// A node that may have missed that users lost a right: nobody stays who could hear by it.
@Suite struct RecallTests {
    private let second = 1_000_000_000

    private func shard(window: Int = 4) -> TestShard {
        var settings = ConnectionSettings(node: "f-test")
        settings.recallWindow = window * second
        return TestShard(settings: settings)
    }

    @Test func whoIsHereWhenEndsAreMissedComesAgainAndWhoComesLaterStays() throws {
        let test = shard()
        var sockets: [FakeSocket] = []
        for number in 0..<40 { sockets.append(try test.open(user: "u\(number)").1) }
        let (_, connecting) = test.connect(user: "late")
        _ = try test.forwarder.takeEnvelopes()
        test.shard.apply([.missedEnds])
        #expect(connecting.closed?.code == .tryAgainLater, "what it was granted may be older than what was missed")
        for socket in sockets {
            #expect(socket.takeTexts().count { $0.hasPrefix(#"{"type":"$reconnect","after_ms":"#) } == 1 && socket.closed == nil)
        }
        let (_, fresh) = try test.open(user: "fresh")
        for _ in 0..<2 {
            test.now += 2 * second
            test.shard.sweep()
        }
        #expect(sockets.allSatisfy { $0.closed?.code == .serviceRestart })
        #expect(fresh.closed == nil && fresh.takeTexts().isEmpty && test.shard.recall == nil)
    }

    @Test func theyLeaveOverAWindowAndAreToldOnce() throws {
        let test = shard(window: 40)
        let sockets = try (0..<60).map { try test.open(user: "u\($0)").1 }
        for _ in 0..<3 { test.shard.apply([.missedEnds]) }
        #expect(sockets.allSatisfy { $0.takeTexts().count == 1 })
        var left: [Int] = []
        for _ in 0..<4 {
            test.now += 10 * second
            test.shard.sweep()
            left.append(sockets.count { $0.closed != nil })
        }
        #expect(left[0] > 0 && left[0] < 60 && left[3] == 60, "\(left)")
    }

    @Test func whatIsOnItsWayMayFinishAndADrainTellsThemNoMore() throws {
        let test = shard(window: 0)
        let (connection, socket) = try test.open()
        test.receive(connection, #"{"type":"a","id":"1"}"#)
        test.turn()
        test.shard.apply([.missedEnds])
        test.shard.startDraining(window: 100 * second)
        test.shard.sweep()
        #expect(socket.takeTexts().count == 1 && socket.closed == nil && socket.isPaused)
        test.done(connection, 2, #"{"re":"1","ok":true}"#)
        test.shard.sweep()
        #expect(socket.takeTexts() == [#"{"re":"1","ok":true}"#] && socket.closed?.code == .serviceRestart)
        // One that hangs has no longer than its deadline.
        let other = shard(window: 0)
        let (stuck, closed) = try other.open()
        other.receive(stuck, #"{"type":"a","id":"1"}"#)
        other.turn()
        other.shard.apply([.missedEnds])
        other.now += other.shard.settings.replyDeadline
        other.shard.sweep()
        #expect(closed.closed?.code == .serviceRestart)
    }

    @Test func allShardsHearOfIt() {
        var state = NodeState(settings: NodeSettings(), shards: 3)
        var actions = NodeActions(shards: 3)
        state.accept(.missedEnds, now: 0, into: &actions)
        #expect(actions.commands == [[.missedEnds], [.missedEnds], [.missedEnds]])
    }
}
