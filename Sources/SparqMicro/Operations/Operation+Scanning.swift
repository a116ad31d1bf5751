import NIOCore
import SparqWire
import SparqWebSocket

extension Operation {
    /// What the front does with what a client sends.
    static let scanning = [
        Operation("scan", "front: scan a client's message of 200 bytes for `type` and `id`", ceiling: 0) { times in
            for _ in 0..<times { use(try Sample.message.withUnsafeBytes { bytes throws(FrameError) in try FrameScanner.scan(bytes) }) }
        },
        Operation("receive", "front: take a masked frame of 200 bytes off the socket", ceiling: 4) { times in
            let frame = FrameEncoder(role: .client).text(String(decoding: Sample.message, as: UTF8.self))
            var machine = WebSocketMachine(role: .server, maxMessageSize: 1 << 16)
            for _ in 0..<times {
                // As the socket's reads do, each frame comes in a buffer of its own.
                var buffer = ByteBufferAllocator().buffer(capacity: frame.readableBytes)
                buffer.writeImmutableBuffer(frame)
                machine.receive(buffer)
                while let action = machine.next() { use(action) }
            }
        },
    ]
}
