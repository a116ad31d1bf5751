import NIOCore
import SparqFront
import SparqFrontCore

extension Operation {
    /// A topic's events on a front, in order and not.
    static let sequencing = [
        Operation("sequence", "front: an event that comes in its turn", ceiling: 0) { times in
            try sequence(times) { $0 }
        },
        Operation("sequence-early", "front: events of which every second comes before its turn", ceiling: 0) { times in
            try sequence(times & ~1) { $0 ^ 1 }
        },
    ]

    private static func sequence(_ times: Int, _ order: (Int) -> Int) throws {
        let frame = TextFrame.encode(Sample.event[...])
        var stream = FrameStream(position: 0)
        var released: [FrameStream.Release] = []
        var count = 0
        for index in 0..<times {
            stream.event(order(index) + 1, frame, now: index, into: &released)
            count += released.count
            released.removeAll(keepingCapacity: true)
        }
        guard count == times else { throw MicroError("released \(count) of \(times)") }
    }
}
