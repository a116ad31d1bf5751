import NIOCore
import Testing

@testable import SparqFront

@Suite struct EventRingTests {
    /// At any time it holds the last events, in order, and as many as its limits allow.
    @Test(arguments: UInt64(0)..<100)
    func holdsTheLastThatFit(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let limits = RingLimits(events: .random(in: 1...8, using: &generator), bytes: .random(in: 10...200, using: &generator))
        var ring = EventRing(limits: limits)
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
}
