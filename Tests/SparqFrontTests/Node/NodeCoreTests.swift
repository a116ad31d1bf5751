import Dispatch
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SparqWire
import Testing

@testable import SparqFront
@testable import SparqFrontCore

@Suite(.timeLimit(.minutes(1))) struct NodeCoreTests {
    private func withCore(_ body: (NodeCore, FakeForwarder, any EventLoop) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let forwarder = FakeForwarder()
        let hub = try await Hub(on: group, settings: ConnectionSettings(node: "f-test"), forwarder: forwarder, inbox: NodeInbox())
        let core = NodeCore(
            node: "f-test",
            incarnation: "1",
            settings: NodeSettings(),
            hub: hub,
            forwarder: forwarder,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            onLease: {}
        )
        try await body(core, forwarder, group.next())
        hub.stop()
        try await group.shutdownGracefully()
    }

    @Test func whatTheShardsCannotKeepUpWithStaysWithTheBroker() async throws {
        try await withCore { core, _, loop in
            let order = NIOLockedValueBox<[String]>([])
            let gate = DispatchSemaphore(value: 0)
            loop.execute {
                gate.wait()
                order.withLockedValue { $0.append("shard") }
            }
            var writer = JSONWriter()
            Delivery.send(connection: ConnectionID.random(.socket, shard: 0).description, body: Array("{}".utf8)[...]).encode(into: &writer)
            let body = writer.bytes
            let delivering = Task {
                await core.deliver([body])
                order.withLockedValue { $0.append("delivered") }
            }
            // What concerns no shard waits for none.
            var lease = JSONWriter()
            Delivery.lease(.renewed).encode(into: &lease)
            await core.deliver([lease.bytes])
            while await core.counters.0.deliveries < 2 { await Task.yield() }
            for _ in 0..<100 { await Task.yield() }
            #expect(order.withLockedValue { $0 } == [])
            gate.signal()
            await delivering.value
            #expect(order.withLockedValue { $0 } == ["shard", "delivered"])
        }
    }

    @Test func aLeaseThatWasGivenUpIsNotRenewed() async throws {
        try await withCore { core, forwarder, _ in
            for leaving in [false, true, false] { await core.renew(leaving: leaving) }
            let leases = try forwarder.takeEnvelopes().map { String(decoding: $0.message, as: UTF8.self).contains(#""leaving":true"#) }
            #expect(leases == [false, true])
        }
    }

    @Test func eventsOfATopicAtAStretchAreReleasedTogether() {
        var state = NodeState(settings: NodeSettings(), shards: 1)
        var actions = NodeActions(shards: 1)
        let connection = ConnectionID.random(.socket, shard: 0).description
        let grants = ["a", "b"].map { Grant(topic: $0, cursor: 0, head: 0) }
        state.deliver(.subscribe(connection: connection, grants: grants), now: 0, into: &actions)
        actions = NodeActions(shards: 1)
        for (topic, seq) in [("a", 1), ("a", 2), ("b", 1), ("a", 3)] {
            state.deliver(.event(Event(topic: topic, seq: seq, body: [])), now: 0, into: &actions)
        }
        let released = actions.commands[0].map { command in
            guard case .release(let topic, let releases) = command else { return "?" }
            return topic + releases.map { if case .event(let seq, _) = $0 { "\(seq)" } else { "?" } }.joined()
        }
        #expect(released == ["a12", "b1", "a3"])
    }

    /// It cannot be held, so what is missing before it must be asked for at once: nothing else would.
    @Test func anEarlyEventThatIsTooLargeToBeHeldIsAskedFor() {
        var settings = NodeSettings()
        settings.hold.bytes = 10
        var state = NodeState(settings: settings, shards: 1, version: 7)
        var actions = NodeActions(shards: 1)
        let connection = ConnectionID.random(.socket, shard: 0).description
        state.deliver(.subscribe(connection: connection, grants: [Grant(topic: "a", cursor: 0, head: 0)]), now: 0, into: &actions)
        state.finish(now: 0, into: &actions)
        state.deliver(.synced(Synced(version: 8, behind: [])), now: 1, into: &actions)
        actions = NodeActions(shards: 1)
        state.deliver(.event(Event(topic: "a", seq: 2, body: ArraySlice(repeating: 0x20, count: 100))), now: 2, into: &actions)
        state.finish(now: 2, into: &actions)
        #expect(actions.syncs.map(\.topics) == [["a": 0]])
    }

    @Test func everyMessageOfALongLeaveHasAVersionOfItsOwn() {
        var settings = NodeSettings()
        settings.topicsPerRequest = 100
        var state = NodeState(settings: settings, shards: 1, version: 7)
        var actions = NodeActions(shards: 1)
        let connection = ConnectionID.random(.socket, shard: 0)
        let names = (0..<250).map { "room:\($0)" }
        let grants = names.map { Grant(topic: $0, cursor: 0, head: 0) }
        state.deliver(.subscribe(connection: connection.description, grants: grants), now: 0, into: &actions)
        state.finish(now: 0, into: &actions)
        let joined = state.version
        actions = NodeActions(shards: 1)
        for name in names { state.accept(.left(connection, topic: name), now: 1, into: &actions) }
        state.finish(now: 1, into: &actions)
        #expect(actions.leaves.map(\.version) == [joined + 1, joined + 2, joined + 3])
        #expect(Set(actions.leaves.flatMap(\.topics)) == Set(names))
        // What the directory compares, and with what: all left, as of the last of them.
        let lease = state.lease(incarnation: "1", leaving: false)
        #expect(lease.version == joined + 3 && lease.settled && lease.topicCount == 0 && lease.checksum == 0)
        // Nothing left to leave is no change.
        state.finish(now: 2, into: &actions)
        #expect(state.version == joined + 3)
    }

    /// What a node has had all the time it says so, and a brief answer is enough for all that is at its end.
    @Test func aNodeThatAsksAnewSaysSinceWhenItHasItsTopics() {
        var state = NodeState(settings: NodeSettings(), shards: 1, version: 7)
        var actions = NodeActions(shards: 1)
        let connection = ConnectionID.random(.socket, shard: 0)
        func subscribe(_ topic: String, head: Int) {
            let grant = Grant(topic: topic, cursor: head, head: head)
            state.deliver(.subscribe(connection: connection.description, grants: [grant]), now: 0, into: &actions)
            state.finish(now: 0, into: &actions)
        }
        subscribe("a", head: 3)
        subscribe("b", head: 5)
        #expect(actions.syncs.map(\.version) == [8, 9] && actions.syncs.allSatisfy { $0.joined == [:] && $0.brief == true })
        for version in 8...9 { state.deliver(.synced(Synced(version: version, behind: [])), now: 1, into: &actions) }
        #expect(state.lease(incarnation: "1", leaving: false).settled)
        // One is left and comes back: what it had before counts no more.
        state.accept(.left(connection, topic: "b"), now: 2, into: &actions)
        state.finish(now: 2, into: &actions)
        #expect(actions.leaves.map(\.version) == [10])
        subscribe("b", head: 6)
        state.deliver(.synced(Synced(version: 11, behind: [])), now: 3, into: &actions)
        actions = NodeActions(shards: 1)
        state.accept(.resync, now: 4, into: &actions)
        state.finish(now: 4, into: &actions)
        #expect(actions.syncs == [SyncRequest(version: 12, topics: ["a": 3, "b": 6], joined: ["a": 8, "b": 11], brief: true)])
        // Of one that is behind a page tells; without it the question is open.
        state.deliver(.synced(Synced(version: 12, behind: ["b"])), now: 5, into: &actions)
        #expect(!state.lease(incarnation: "1", leaving: false).settled)
        let page = Page(topic: "b", after: 6, first: 7, head: 7, version: 12, connection: nil, events: [[]])
        state.deliver(.page(page), now: 6, into: &actions)
        #expect(state.lease(incarnation: "1", leaving: false).settled)
        #expect(state.topics["a"]?.stream.position == 3 && state.topics["b"]?.stream.position == 7)
    }

    /// It asks for what it has there, and leaves what it does not have; the rest of its topics is left alone.
    @Test func aNodeMendsTheDirectoryByTheDifference() {
        var state = NodeState(settings: NodeSettings(), shards: 1, version: 7)
        var actions = NodeActions(shards: 1)
        let connection = ConnectionID.random(.socket, shard: 0)
        let names = (0..<1000).map { "room:\($0)" }
        let grants = names.map { Grant(topic: $0, cursor: 0, head: 0) }
        state.deliver(.subscribe(connection: connection.description, grants: grants), now: 0, into: &actions)
        state.finish(now: 0, into: &actions)
        for request in actions.syncs { state.deliver(.synced(Synced(version: request.version, behind: [])), now: 1, into: &actions) }
        let lease = state.lease(incarnation: "1", leaving: false)
        #expect(lease.settled && lease.sums?.reduce(0, +) == lease.checksum && lease.checksum > 0)
        func bucket(_ topic: String) -> Int { TopicChecksum.bucket(ofPart: TopicChecksum.part(topic)) }
        actions = NodeActions(shards: 1)
        let difference = Difference(buckets: [bucket("room:7")], topics: ["user:ghost", "room:7"])
        state.deliver(.differs(difference), now: 2, into: &actions)
        state.finish(now: 2, into: &actions)
        #expect(actions.leaves.map(\.topics) == [["user:ghost"]])
        #expect(actions.leaves.allSatisfy { $0.version > lease.version })
        let asked = actions.syncs.flatMap(\.topics.keys)
        #expect(Set(asked) == Set(names.filter { bucket($0) == bucket("room:7") }))
        // As of when it has had them: the rows that are there are not written again.
        #expect(actions.syncs.allSatisfy { request in request.topics.keys.allSatisfy { request.joined($0) <= lease.version } })
        for request in actions.syncs { state.deliver(.synced(Synced(version: request.version, behind: [])), now: 3, into: &actions) }
        #expect(state.lease(incarnation: "1", leaving: false).settled)
    }

    /// While no worker answers, the readers' questions lie in the queue like the node's.
    @Test func aReaderDoesNotAskAgainWhileNobodyAnswers() {
        var state = NodeState(settings: NodeSettings(), shards: 1)
        var actions = NodeActions(shards: 1)
        let second = 1_000_000_000
        let connection = ConnectionID.random(.socket, shard: 0)
        let grant = Grant(topic: "a", cursor: 0, head: 500)
        state.deliver(.subscribe(connection: connection.description, grants: [grant]), now: 0, into: &actions)
        state.accept(.more(connection, topic: "a", after: 0), now: 0, into: &actions)
        state.finish(now: 0, into: &actions)
        for now in 1...50 { state.tick(now: now * second, into: &actions) }
        #expect(actions.reads.count == 1)
        state.deliver(.lease(.renewed), now: 51 * second, into: &actions)
        state.tick(now: 53 * second, into: &actions)
        #expect(actions.reads.count == 1)
        state.tick(now: 54 * second, into: &actions)
        #expect(actions.reads.count == 2)
    }
}
