import NIOCore
import SparqWebSocket

/// What a ``Connection`` needs of its socket. Confined to the socket's event loop.
protocol ClientSocket: AnyObject {
    /// Whether the outbound buffer is below its high mark.
    var isWritable: Bool { get }
    /// Bytes that the kernel has not taken yet.
    var bufferedBytes: Int { get }
    /// Writes an encoded frame; it leaves with the next flush.
    func write(frame: ByteBuffer)
    /// Hands all that was written to the kernel.
    func flush()
    /// Starts the close handshake.
    func close(_ code: CloseCode, reason: String)
    /// Stops reading: TCP holds the peer back.
    func pauseReading()
    /// Reads again.
    func resumeReading()
}
