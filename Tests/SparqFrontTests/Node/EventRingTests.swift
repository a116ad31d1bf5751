import NIOCore
import SparqWire
import Testing

@testable import SparqFront
@testable import SparqFrontCore

@Suite struct EventRingTests {
    /// At any time it holds the last events, in order, and as many as its limits allow.
    @Test(arguments: UInt64(0)..<100)
    func holdsTheLastThatFit(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let limits = RingLimits(events: .random(in: 1...8, using: &generator), bytes: .random(in: 10...200, using: &generator))
        var ring = EventRing<ByteBuffer>(limits: limits)
        var all: [ByteBuffer] = []
        for _ in 0..<200 {
            if generator.chance(3) {
                ring.removeAll()
                all = []
            } else {
                let frame = ByteBuffer(repeating: UInt8(all.count % 256), count: .random(in: 1...60, using: &generator))
                ring.append(frame)
                all.append(frame)
            }
            let held = ring.suffix(ring.count)
            let bytes = held.reduce(0) { $0 + $1.readableBytes }
            #expect(held.count == ring.count && held == Array(all.suffix(held.count)))
            #expect(held.count <= limits.events && bytes <= limits.bytes)
            if held.count < all.count {
                let next = all[all.count - held.count - 1]
                #expect(held.count == limits.events || bytes + next.readableBytes > limits.bytes, "one more would have fitted")
            }
            let some = Int.random(in: 0...ring.count, using: &generator)
            #expect(ring.suffix(some) == Array(all.suffix(some)))
        }
    }

    @Test func ringsOfQuietTopicsAreEmptied() {
        var state = NodeState(settings: NodeSettings(), shards: 1)
        var actions = NodeActions(shards: 1)
        let second = 1_000_000_000
        let connection = ConnectionID.random(.socket, shard: 0).description
        let grants = ["busy", "quiet"].map { Grant(topic: $0, cursor: 0, head: 0) }
        state.deliver(.subscribe(connection: connection, grants: grants), now: 0, into: &actions)
        for time in 1...100 {
            for topic in time <= 10 ? ["busy", "quiet"] : ["busy"] {
                state.deliver(.event(Event(topic: topic, seq: time, body: [])), now: time * second, into: &actions)
            }
            state.tick(now: time * second, into: &actions)
            if time <= 70 { #expect(state.topics["quiet"]?.stream.ring.count == min(time, 10)) }
        }
        #expect(state.topics["busy"]?.stream.ring.count == 100 && state.topics["quiet"]?.stream.ring.count == 0)
        // Who joins behind reads the log; who joins at the end needs nothing, and both go on.
        #expect(state.topics["quiet"]?.stream.covers(9) == false && state.topics["quiet"]?.stream.covers(10) == true)
        state.deliver(.event(Event(topic: "quiet", seq: 11, body: [])), now: 101 * second, into: &actions)
        #expect(state.topics["quiet"]?.stream.covers(10) == true && state.topics["quiet"]?.stream.ring.count == 1)
    }
}
