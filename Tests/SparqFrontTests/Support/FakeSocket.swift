import NIOCore
import SparqWebSocket

@testable import SparqFront

/// A socket that remembers what was done with it.
final class FakeSocket: ClientSocket {
    var isWritable = true
    var bufferedBytes = 0
    private(set) var texts: [String] = []
    private(set) var flushes = 0
    private(set) var closed: Close?
    private(set) var isPaused = false
    /// Nothing leaves until ``drain()``, as where the peer does not read.
    var keeps = false
    private var unflushed = 0

    /// The peer has read all.
    func drain() {
        bufferedBytes = 0
        isWritable = true
    }

    func write(frame: ByteBuffer) {
        if keeps {
            bufferedBytes += frame.readableBytes
            isWritable = bufferedBytes < 64 * 1024
        }
        var frame = frame
        while let text = Self.readText(&frame) {
            texts.append(text)
            unflushed += 1
        }
    }

    func flush() {
        flushes += 1
        unflushed = 0
    }

    func close(_ code: CloseCode, reason: String) { closed = Close(code, reason: reason) }
    func pauseReading() { isPaused = true }
    func resumeReading() { isPaused = false }

    /// All that was written was flushed too.
    var isFlushed: Bool { unflushed == 0 }

    func takeTexts() -> [String] {
        defer { texts = [] }
        return texts
    }

    private static func readText(_ buffer: inout ByteBuffer) -> String? {
        guard buffer.readInteger(as: UInt8.self) == 0x81, let short = buffer.readInteger(as: UInt8.self) else { return nil }
        switch short {
        case 126: return buffer.readInteger(as: UInt16.self).flatMap { buffer.readString(length: Int($0)) }
        case 127: return buffer.readInteger(as: UInt64.self).flatMap { buffer.readString(length: Int($0)) }
        default: return buffer.readString(length: Int(short))
        }
    }
}
