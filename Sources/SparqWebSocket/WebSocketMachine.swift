public import NIOCore

/// One side of a WebSocket connection after the handshake (RFC 6455): bytes in, actions out, no I/O and no clock.
///
/// ```swift
/// machine.receive(bytes)
/// while let action = machine.next() { … }
/// ```
/// Messages are handed out as slices of the bytes that came in; only fragmented messages are copied together.
/// Text is checked as it comes, so broken UTF-8 fails before its frame is complete. A message's size is checked at its frames' heads.
public struct WebSocketMachine: Sendable {
    enum State: Equatable {
        case open
        /// Our close frame is out and the peer's is awaited: what else comes is dropped.
        case closing
        case closed
    }

    /// A message of which some fragments came.
    struct Fragments: Equatable {
        var isText: Bool
        var bytes: ByteBuffer
    }

    /// A frame whose payload is not complete.
    struct Partial: Equatable {
        var opcode: Opcode
        var isFinal: Bool
        var length: Int
        /// Payload bytes that the UTF-8 validator has seen.
        var validated = 0
    }

    /// Writes this side's frames.
    public let encoder: FrameEncoder
    /// Bytes of one message, its fragments added up; above it the connection fails with 1009.
    public let maxMessageSize: Int

    var state = State.open
    var buffer = ByteBuffer()
    var unmasker = Unmasker()
    var partial: Partial?
    var fragments: Fragments?
    var quietFrames = 0
    var validator = UTF8Validator()

    /// - Parameters:
    ///   - role: the side that this machine plays.
    ///   - maxMessageSize: the limit of one incoming message in bytes.
    public init(role: Role, maxMessageSize: Int) {
        precondition(maxMessageSize >= 0 && maxMessageSize <= Int(UInt32.max) / 2, "A message must fit into a ByteBuffer")
        self.encoder = FrameEncoder(role: role)
        self.maxMessageSize = maxMessageSize
    }

    /// Neither side has closed, and nothing failed.
    public var isOpen: Bool { self.state == .open }

    /// The close handshake is over, or the connection failed. Bytes that come are dropped.
    public var isClosed: Bool { self.state == .closed }

    /// Bytes that came in and are not handed out yet, without the fragments of a message.
    public var bufferedBytes: Int { self.buffer.readableBytes }

    /// Takes bytes that came in. Call ``next()`` until it returns nil.
    public mutating func receive(_ bytes: consuming ByteBuffer) {
        guard self.state != .closed else { return }
        if self.buffer.readableBytes == 0 {
            // One owner, so that unmasking needs no copy.
            self.buffer = consume bytes
        } else {
            if self.buffer.readerIndex > 0 {
                // The front of the storage belongs to messages that were handed out.
                var rest = ByteBufferAllocator().buffer(capacity: self.buffer.readableBytes + bytes.readableBytes)
                rest.writeBuffer(&self.buffer)
                self.buffer = rest
            }
            self.buffer.writeBuffer(&bytes)
        }
        if self.encoder.role == .server {
            self.buffer.withUnsafeMutableReadableBytes { self.unmasker.advance(over: $0) }
        }
    }

    /// The next thing to do, or nil until more bytes come.
    public mutating func next() -> Action? {
        while self.state != .closed {
            if self.partial == nil {
                switch self.readHeader() {
                case .missing: return self.wait()
                case .violation(let close): return self.fail(close)
                case .taken: break
                }
            }
            guard let partial = self.partial else { return nil }
            if self.isText(partial), !self.validate(partial) {
                return self.fail(Close(.invalidPayload, reason: "Text is not valid UTF-8"))
            }
            guard let payload = self.buffer.readSlice(length: partial.length) else { return self.wait() }
            self.unmasker.consumed(partial.length)
            self.partial = nil
            if let action = self.finish(partial, payload: payload) { return action }
        }
        return self.wait()
    }

    /// How many frames came since the last call that carry next to nothing: pings, pongs, fragments of at most 125 bytes that end no message.
    /// They cost work like any other frame, so an owner with a limit on messages counts them too.
    public mutating func takeQuietFrames() -> Int {
        defer { self.quietFrames = 0 }
        return self.quietFrames
    }

    /// Starts the close handshake. Returns the frame to write, or nil if this side has closed already.
    public mutating func close(_ code: CloseCode = .normal, reason: String = "") -> ByteBuffer? {
        guard self.state == .open else { return nil }
        self.state = .closing
        return self.encoder.close(code, reason: reason)
    }
}
