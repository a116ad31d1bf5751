import SparqFront
import SparqWebSocket

extension Operation {
    /// What goes to clients.
    static let frames = [
        Operation("event-frame", "front: an event's frame, once for all sockets", ceiling: 2) { times in
            for _ in 0..<times { use(TextFrame.encode(Sample.event[...])) }
        },
        Operation("frame", "any frame of 270 bytes, by the general encoder", ceiling: 2) { times in
            let encoder = FrameEncoder(role: .server)
            for _ in 0..<times { use(encoder.frame(.text, payload: Sample.event)) }
        },
    ]
}
