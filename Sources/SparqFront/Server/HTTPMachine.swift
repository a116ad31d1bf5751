import NIOCore
import NIOHTTP1

/// What one TCP connection is at, from its first byte to the upgrade or the end: which part of a request is awaited, or who answers.
/// Parts of requests in, actions out; no I/O and no clock.
///
/// ```swift
/// machine.received(part)
/// while let action = machine.next() { … }
/// ```
/// One request is answered at a time. What a client sends beyond it waits, within limits.
struct HTTPMachine {
    private let limits: Limits
    private let socketPath: String
    private(set) var phase = Phase.head
    /// Grows with each change of the phase.
    private(set) var changes = 0
    /// No request is answered behind this one.
    private(set) var isLast = false
    /// The parser stops behind the request.
    private var isParsersLast = false
    /// It has.
    private var isStopped = false
    private var incoming: Incoming?
    private var waiting = CircularBuffer<HTTPServerRequestPart>()
    private var waitingRequests = 0
    private var waitingBytes = 0
    private var unparsedBytes = 0
    /// What else comes is dropped.
    private var isCut = false
    private var isInputClosed = false
    /// Why nothing can be read behind what is waiting.
    private var failure: Refusal?

    init(limits: Limits, socketPath: String) {
        self.limits = limits
        self.socketPath = socketPath
    }

    /// Whether the channel is to read. While it does not, TCP holds the client back.
    var wantsInput: Bool {
        switch self.phase {
        case .idle, .leaving, .head, .body, .handshake, .ending, .upgraded: true
        case .deciding, .answering, .responding, .restarting: false
        }
    }

    var isHEAD: Bool { self.incoming?.head.method == .HEAD }

    // MARK: From the client

    /// Bytes came, and are not parsed yet. Returns whether the parser may have them.
    mutating func arrived(bytes count: Int) -> Bool {
        if self.phase == .upgraded { return true }
        guard !self.isCut else { return false }
        if self.phase == .idle || self.phase == .leaving { self.move(.head) }
        self.unparsedBytes += count
        guard self.unparsedBytes > self.limits.unparsedBytes else { return true }
        self.failure = self.phase == .body ? .badRequest : .headersTooLarge
        self.isCut = true
        return false
    }

    mutating func received(_ part: HTTPServerRequestPart) {
        self.unparsedBytes = 0
        self.isStopped = false
        guard !self.isCut else { return }
        switch part {
        case .head: self.waitingRequests += 1
        case .body(let bytes): self.waitingBytes += bytes.readableBytes
        case .end: break
        }
        if self.waitingRequests > self.limits.waitingRequests || self.waitingBytes > self.limits.waitingBytes {
            self.isCut = true
        } else {
            self.waiting.append(part)
        }
    }

    /// The parser failed: it reads no more.
    mutating func failed(_ refusal: Refusal) {
        guard !self.isCut else { return }
        self.isCut = true
        self.failure = refusal
    }

    /// The client sends no more.
    mutating func inputClosed() -> Action? {
        self.isInputClosed = true
        switch self.phase {
        case .deciding, .ending: return self.close()
        case .answering, .responding:
            if self.waiting.isEmpty, self.failure == nil { self.isLast = true }
            return nil
        case .restarting: return nil
        case .idle, .leaving, .head, .body, .handshake, .upgraded: return self.next()
        }
    }

    /// The next thing to do, or nil until something happens.
    mutating func next() -> Action? {
        while true {
            switch self.phase {
            case .idle, .leaving, .head, .body, .handshake: break
            case .deciding, .answering, .responding, .restarting, .ending, .upgraded: return nil
            }
            guard let part = self.waiting.popFirst() else {
                if let failure { return self.refuse(failure) }
                return self.isInputClosed || self.isCut ? self.close() : nil
            }
            if let action = self.step(part) { return action }
        }
    }

    // MARK: From this side

    /// The response's head is written.
    mutating func responding() {
        if self.phase == .answering { self.move(.responding) }
    }

    /// The response is with the kernel, all of it.
    mutating func responded() -> Action? {
        guard self.phase == .responding else { return nil }
        self.incoming = nil
        if self.isLast { return self.end() }
        if self.isStopped {
            self.isStopped = false
            self.move(.restarting)
            return .restart
        }
        self.move(self.unparsedBytes > 0 ? .head : .idle)
        return self.next()
    }

    /// Another parser stands ready. It is given what the one before left.
    mutating func restarted() {
        guard self.phase == .restarting else { return }
        self.unparsedBytes = 0
        self.move(self.isLast ? .leaving : .idle)
    }

    /// The handshake is granted.
    mutating func accepted() {
        self.incoming = nil
        self.move(.upgraded)
    }

    /// The handshake is refused.
    mutating func refused(_ refusal: Refusal) -> Action? { self.refuse(refusal) }

    /// The server goes away. What is begun is answered. So is one more request of each client: it may be on its way, and a close would
    /// reset it.
    mutating func drain() {
        self.isLast = true
        if self.phase == .idle || self.phase == .head && self.unparsedBytes == 0 { self.move(.leaving) }
    }

    /// The phase has lasted for its time.
    mutating func timedOut() -> Action? {
        switch self.phase {
        case .leaving: self.end()
        case .idle, .head, .responding, .restarting, .ending: self.close()
        case .body, .handshake, .deciding: self.refuse(.tooSlow)
        // Routes have limits of their own.
        case .answering, .upgraded: nil
        }
    }
}

extension HTTPMachine {
    private mutating func step(_ part: HTTPServerRequestPart) -> Action? {
        switch part {
        case .head(let head):
            self.waitingRequests -= 1
            return self.begin(head)
        case .body(var bytes):
            self.waitingBytes -= bytes.readableBytes
            guard self.phase == .body, self.incoming != nil else { return nil }
            if self.incoming?.body.readableBytes == 0 {
                self.incoming?.body = bytes
            } else {
                self.incoming?.body.writeBuffer(&bytes)
            }
            guard let length = self.incoming?.body.readableBytes, length > self.limits.bodyBytes else { return nil }
            return self.answerTooLarge()
        case .end:
            guard let incoming else { return nil }
            self.isStopped = self.isParsersLast && self.waiting.isEmpty
            if case .handshake(let key) = self.phase {
                self.move(.deciding)
                return .decide(incoming.head, key: key)
            }
            self.move(.answering)
            return .answer(incoming)
        }
    }

    private mutating func begin(_ head: HTTPRequestHead) -> Action? {
        let incoming = Incoming(head: head)
        self.incoming = incoming
        self.isParsersLast = false
        switch RequestKind(head, socketPath: self.socketPath) {
        case .refused(let refusal): return self.refuse(refusal)
        case .socket(let key):
            self.move(.handshake(key: key))
            return nil
        case .last: self.isLast = true
        case .ignoredUpgrade: self.isParsersLast = true
        case .plain: break
        }
        if !head.isKeepAlive { self.isLast = true }
        self.move(.body)
        let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        if length > self.limits.bodyBytes { return self.answerTooLarge() }
        let awaitsBody = length > 0 || head.headers.contains(name: "transfer-encoding")
        let asks = head.version == .http1_1 && head.headers.contains(name: "expect") && awaitsBody
        // One that did not wait needs no answer.
        return asks && self.waiting.isEmpty ? .proceed : nil
    }

    /// Nobody reads the rest of such a body, so the connection ends behind the response.
    private mutating func answerTooLarge() -> Action? {
        guard var incoming else { return nil }
        incoming.body = ByteBuffer()
        incoming.isTooLarge = true
        self.incoming = incoming
        self.isLast = true
        self.cut()
        self.move(.answering)
        return .answer(incoming)
    }

    private mutating func refuse(_ refusal: Refusal) -> Action {
        let hasBody = !self.isHEAD
        self.incoming = nil
        self.cut()
        self.move(.ending)
        return .refuse(refusal, hasBody: hasBody)
    }

    private mutating func end() -> Action {
        self.cut()
        self.move(.ending)
        return .end
    }

    private mutating func close() -> Action {
        self.incoming = nil
        self.cut()
        self.move(.ending)
        return .close
    }

    private mutating func cut() {
        self.isCut = true
        self.failure = nil
        self.waiting.removeAll(keepingCapacity: false)
    }

    private mutating func move(_ phase: Phase) {
        self.phase = phase
        self.changes += 1
    }
}
