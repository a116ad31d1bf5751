import NIOCore
import SparqWebSocket

/// One open WebSocket, as its session sees it. Confined to its event loop.
final class Socket {
    enum Phase {
        case open
        /// Our close frame is out, the peer's is awaited.
        case closing
        /// The last frame is written; only the end of TCP is awaited.
        case ending
        case closed
    }

    let eventLoop: any EventLoop
    let limits: SocketLimits
    /// The sweep's index of this socket.
    var sweepIndex = -1
    /// When the sweep is to look at this socket.
    var deadline: NIODeadline

    private var context: ChannelHandlerContext?
    private var session: (any SocketSession)?
    private var machine: WebSocketMachine
    private var phase = Phase.open
    /// What the session is told once the close handshake that this side began is over.
    private var localClose: Close?
    private var awaitsPong = false
    private var bufferedAtPing = 0
    /// Pings of the last read that are not answered yet. While the peer does not read, only its last ping.
    private var pings = PendingPings()
    /// In this read, and not flushed yet.
    private var hasWrittenPongs = false
    private var isReadingPaused = false
    private var isReadHeld = false
    private var isDelivering = false

    init(context: ChannelHandlerContext, limits: SocketLimits) {
        self.context = context
        self.eventLoop = context.eventLoop
        self.limits = limits
        self.machine = WebSocketMachine(role: .server, maxMessageSize: limits.maxMessageSize)
        self.deadline = .now() + limits.pingInterval
    }

    // MARK: For the session

    /// Messages can be sent.
    var isOpen: Bool { self.phase == .open }

    /// Whether the outbound buffer is below its high mark.
    var isWritable: Bool { self.context?.channel.isWritable ?? false }

    /// Bytes that the kernel has not taken yet.
    var bufferedBytes: Int {
        // The option exists on every channel of NIOPosix; an embedded one lacks it.
        (try? self.context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Writes an encoded frame; it leaves with the next flush. After the close it is dropped.
    func write(frame: ByteBuffer) {
        guard self.phase == .open, let context = self.context else { return }
        context.write(NIOAny(frame), promise: nil)
    }

    /// Hands all that was written to the kernel, with one `writev` where it goes.
    func flush() {
        self.context?.flush()
    }

    /// Writes one text message and flushes. The bytes must be UTF-8.
    func send(text: ByteBuffer) {
        self.write(frame: self.machine.encoder.text(text))
        self.flush()
    }

    /// Starts the close handshake. A peer that does not answer within ``SocketLimits/closeTimeout`` is cut off.
    func close(_ code: CloseCode, reason: String = "") {
        guard let context = self.context, let frame = self.machine.close(code, reason: reason) else { return }
        self.phase = .closing
        self.localClose = Close(code, reason: reason)
        self.deadline = .now() + self.limits.closeTimeout
        context.writeAndFlush(NIOAny(frame), promise: nil)
        // The peer's close frame stands behind what is held.
        self.resumeReading()
    }

    /// Stops reading, so that TCP holds the peer back. What was read already is kept and handed over on resuming.
    func pauseReading() {
        guard self.phase == .open else { return }
        self.isReadingPaused = true
    }

    /// Reads again.
    func resumeReading() {
        guard self.isReadingPaused else { return }
        self.isReadingPaused = false
        if self.phase == .open { self.deadline = .now() + (self.awaitsPong ? self.limits.pongTimeout : self.limits.pingInterval) }
        guard !self.isDelivering else { return }
        self.deliver()
        self.endRead()
        if self.isReadHeld, !self.isReadingPaused {
            self.isReadHeld = false
            self.context?.read()
        }
    }

    // MARK: For the handler

    func opened(by session: any SocketSession) {
        self.session = session
        session.opened()
    }

    func received(_ bytes: ByteBuffer) {
        // A sign of life.
        if self.awaitsPong { self.alive() }
        switch self.phase {
        case .open, .closing: break
        case .ending, .closed: return
        }
        self.machine.receive(bytes)
        self.deliver()
        // Only the peer's end of TCP makes NIO read on while reading is held.
        if self.isReadingPaused, self.machine.bufferedBytes > max(4 * self.limits.maxMessageSize, 1 << 20) { self.lost() }
    }

    func readCompleted() {
        guard self.phase == .open else { return }
        self.endRead()
    }

    /// Whether the channel may read on.
    func mayRead() -> Bool {
        if self.isReadingPaused { self.isReadHeld = true }
        return !self.isReadingPaused
    }

    func writabilityChanged(_ writable: Bool) {
        guard self.phase == .open else { return }
        if writable, self.writePongs() { self.flush() }
        self.session?.writabilityChanged(writable)
    }

    /// The peer will send nothing more, or TCP is gone.
    func lost() {
        self.finish(SocketEnd(cause: .lost, close: Close(.abnormal)))
        self.context?.close(promise: nil)
    }

    /// The channel is gone: nothing is called any more.
    func detach() {
        self.finish(SocketEnd(cause: .lost, close: Close(.abnormal)))
        self.phase = .closed
        self.context = nil
    }

    // MARK: For the sweep

    func deadlinePassed(_ now: NIODeadline) {
        switch self.phase {
        case .closed:
            return
        case .closing, .ending:
            self.finish(SocketEnd(cause: .local, close: self.localClose ?? Close(.abnormal)))
            self.context?.close(promise: nil)
        case .open where self.isReadingPaused:
            // The peer shall hear that this side lives; its pong may stand behind what is held, so nobody waits for it.
            if self.isWritable { self.ping() }
            self.deadline = now + self.limits.pingInterval
        case .open where !self.awaitsPong:
            self.ping()
            self.awaitsPong = true
            self.bufferedAtPing = self.bufferedBytes
            self.deadline = now + self.limits.pongTimeout
        case .open:
            let buffered = self.bufferedBytes
            if buffered < self.bufferedAtPing {
                // Slow, but it reads: the ping waits behind the rest.
                self.bufferedAtPing = buffered
                self.deadline = now + self.limits.pongTimeout
            } else {
                let close = Close(.noPong, reason: "no pong")
                // Where the peer lives and only does not answer pings, it learns why.
                let frame = self.isWritable ? self.machine.close(close.code, reason: close.reason) : nil
                self.end(SocketEnd(cause: .pongTimeout, close: close), frame: frame, lingers: frame != nil)
            }
        }
    }
}

extension Socket {
    private func ping() {
        self.write(frame: self.machine.encoder.ping())
        self.flush()
    }

    private func alive() {
        self.awaitsPong = false
        if self.phase == .open { self.deadline = .now() + self.limits.pingInterval }
    }

    private func deliver() {
        self.isDelivering = true
        defer { self.isDelivering = false }
        while !self.isReadingPaused, let action = self.machine.next() {
            switch action {
            case .text(let text):
                self.settleQuietFrames()
                self.session?.receivedText(text)
            case .binary(let bytes):
                self.settleQuietFrames()
                self.session?.receivedBinary(bytes)
            case .ping(let payload):
                self.pings.add(payload)
            case .pong:
                break
            case .close(let close, let answer):
                self.end(
                    self.localClose.map { SocketEnd(cause: .local, close: $0) } ?? SocketEnd(cause: .peer, close: close),
                    frame: answer,
                    lingers: false
                )
            case .fail(let close, let frame):
                self.end(SocketEnd(cause: .violation, close: close), frame: frame, lingers: true)
            }
        }
    }

    /// All of what one read brought was handed over.
    private func endRead() {
        self.countQuietFrames()
        if self.writePongs() { self.hasWrittenPongs = true }
        self.session?.readCompleted()
        // Nothing is left to flush where the session has done it.
        if self.hasWrittenPongs { self.flush() }
        self.hasWrittenPongs = false
    }

    /// Called before a message, so that pongs are written before the reply to it.
    private func settleQuietFrames() {
        self.countQuietFrames()
        if self.writePongs() { self.hasWrittenPongs = true }
    }

    /// Tells the session, which keeps the rate. Beyond it the last ping is answered alone.
    private func countQuietFrames() {
        let count = self.machine.takeQuietFrames()
        if count > 0, let session, !session.receivedQuiet(count) { self.pings.keepLast() }
    }

    /// Answers the pings of a read. Returns whether it wrote.
    private func writePongs() -> Bool {
        guard self.isWritable else {
            self.pings.keepLast()
            return false
        }
        let payloads = self.pings.take()
        for payload in payloads { self.write(frame: self.machine.encoder.pong(payload)) }
        return !payloads.isEmpty
    }

    /// Writes the last frame and ends TCP.
    ///
    /// Closing at once while unread bytes wait would make the kernel send a reset, which can overtake the close frame: after a
    /// violation the socket ends only its own direction, and drops what comes until the peer ends too or the deadline passes.
    private func end(_ end: SocketEnd, frame: ByteBuffer?, lingers: Bool) {
        self.phase = .ending
        self.isReadingPaused = false
        self.deadline = .now() + self.limits.closeTimeout
        // First, as the channel may be gone once the frame is written.
        self.finish(end)
        if let context = self.context {
            let closed = context.eventLoop.makePromise(of: Void.self)
            let channel = context.channel
            closed.futureResult.whenComplete { _ in channel.close(mode: lingers ? .output : .all, promise: nil) }
            if let frame {
                context.writeAndFlush(NIOAny(frame), promise: closed)
            } else {
                closed.succeed()
            }
        }
    }

    /// Tells the session, once.
    private func finish(_ end: SocketEnd) {
        guard let session = self.session else { return }
        self.session = nil
        if self.phase != .closed { self.phase = .ending }
        self.pings = PendingPings()
        session.closed(end)
    }
}
