import NIOCore

/// What becomes of heads and payloads.
extension WebSocketMachine {
    enum HeaderStep {
        case missing
        case taken
        case violation(Close)
    }

    mutating func readHeader() -> HeaderStep {
        guard let header = self.buffer.withUnsafeReadableBytes({ FrameHeader($0) }) else { return .missing }
        guard let opcode = Opcode(rawValue: header.opcode) else { return .violation(Self.broken("Unknown opcode")) }
        if let violation = self.violation(of: header, opcode) { return .violation(violation) }
        self.buffer.moveReaderIndex(forwardBy: header.size)
        self.unmasker.consumed(header.size)
        // violation(of:_:) checked the length against limits that fit.
        self.partial = Partial(opcode: opcode, isFinal: header.isFinal, length: Int(header.payloadLength))
        return .taken
    }

    private func violation(of header: FrameHeader, _ opcode: Opcode) -> Close? {
        if header.reservedBits != 0 { return Self.broken("Reserved bits are set") }
        switch self.encoder.role {
        case .server where !header.isMasked: return Self.broken("Frames from a client must be masked")
        case .client where header.isMasked: return Self.broken("Frames from a server must not be masked")
        default: break
        }
        if header.payloadLength >> 63 != 0 { return Self.broken("Length over 63 bits") }

        switch opcode {
        case .close, .ping, .pong:
            if !header.isFinal { return Self.broken("Control frame in fragments") }
            if header.payloadLength > 125 { return Self.broken("Control frame over 125 bytes") }
            return nil
        case .text, .binary:
            if self.fragments != nil { return Self.broken("New message inside a fragmented one") }
        case .continuation:
            if self.fragments == nil { return Self.broken("Continuation without a message") }
        }
        if header.payloadLength > UInt64(self.maxMessageSize - (self.fragments?.bytes.readableBytes ?? 0)) {
            return Close(.messageTooBig, reason: "Message over \(self.maxMessageSize) bytes")
        }
        return nil
    }

    /// Whether the frame's payload is text, of its own kind or of the message that it goes on with.
    func isText(_ frame: Partial) -> Bool {
        switch frame.opcode {
        case .text: true
        case .continuation: self.fragments?.isText ?? false
        default: false
        }
    }

    /// Checks the text that came since the last call. The payload stands at the buffer's front.
    mutating func validate(_ frame: Partial) -> Bool {
        let available = min(frame.length, self.buffer.readableBytes)
        if frame.validated < available {
            var validator = self.validator
            let valid = self.buffer.withUnsafeReadableBytes { bytes in
                validator.consume(UnsafeRawBufferPointer(rebasing: bytes[frame.validated..<available]))
            }
            guard valid else { return false }
            self.validator = validator
            self.partial?.validated = available
        }
        return !(frame.isFinal && available == frame.length) || self.validator.isComplete
    }

    /// A frame is complete. Returns nil where nothing comes of it.
    mutating func finish(_ frame: Partial, payload: ByteBuffer) -> Action? {
        if frame.opcode == .ping || frame.opcode == .pong || !frame.isFinal && frame.length <= 125 { self.quietFrames += 1 }
        switch frame.opcode {
        case .text, .binary:
            guard frame.isFinal else {
                self.fragments = Fragments(isText: frame.opcode == .text, bytes: payload)
                return nil
            }
            return self.deliver(payload, isText: frame.opcode == .text)
        case .continuation:
            var payload = payload
            guard var fragments = self.fragments else { return nil }
            self.fragments = nil
            fragments.bytes.writeBuffer(&payload)
            guard frame.isFinal else {
                self.fragments = fragments
                return nil
            }
            return self.deliver(fragments.bytes, isText: fragments.isText)
        case .ping:
            return self.state == .open ? .ping(payload) : nil
        case .pong:
            return .pong(payload)
        case .close:
            return self.finishClose(payload)
        }
    }

    private mutating func deliver(_ message: ByteBuffer, isText: Bool) -> Action? {
        self.validator = UTF8Validator()
        guard self.state == .open else { return nil }
        return isText ? .text(message) : .binary(message)
    }

    private mutating func finishClose(_ payload: ByteBuffer) -> Action {
        var payload = payload
        var close = Close(.noStatus)
        if payload.readableBytes > 0 {
            guard let number = payload.readInteger(as: UInt16.self) else { return self.fail(Self.broken("Close code of one byte")) }
            close.code = CloseCode(rawValue: number)
            guard close.code.isAllowedOnWire else { return self.fail(Self.broken("Close code not allowed")) }
            guard let reason = try? payload.readUTF8ValidatedString(length: payload.readableBytes) else {
                return self.fail(Close(.invalidPayload, reason: "Close reason is not valid UTF-8"))
            }
            close.reason = reason
        }
        let answer = self.state == .open ? self.encoder.close(close.code) : nil
        self.end()
        return .close(close, answer: answer)
    }

    mutating func fail(_ close: Close) -> Action {
        let frame = self.state == .open ? self.encoder.close(close.code, reason: close.reason) : nil
        self.end()
        return .fail(close, frame: frame)
    }

    /// Nothing to do until more bytes come. An idle connection holds no buffer.
    mutating func wait() -> Action? {
        if self.buffer.readableBytes == 0 { self.buffer = ByteBuffer() }
        return nil
    }

    private mutating func end() {
        self.state = .closed
        self.buffer = ByteBuffer()
        self.partial = nil
        self.fragments = nil
    }

    private static func broken(_ reason: String) -> Close { Close(.protocolError, reason: reason) }
}
