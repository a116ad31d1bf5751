import NIOCore
import SparqWebSocket

/// Sends every message back as it came. It exists to test the frame path from outside.
final class EchoSession: SocketSession {
    private let socket: Socket
    private let encoder = FrameEncoder(role: .server)

    init(socket: Socket) { self.socket = socket }

    func opened() {}

    func receivedText(_ text: ByteBuffer) { self.socket.write(frame: self.encoder.text(text)) }

    func receivedBinary(_ bytes: ByteBuffer) { self.socket.write(frame: self.encoder.binary(bytes)) }

    func readCompleted() { self.socket.flush() }

    func writabilityChanged(_ writable: Bool) {
        // A client that sends without reading holds up only itself.
        if writable { self.socket.resumeReading() } else { self.socket.pauseReading() }
    }

    func closed(_ end: SocketEnd) {}
}
