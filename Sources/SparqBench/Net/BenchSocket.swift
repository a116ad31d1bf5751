import Glibc

/// One client's TCP connection, not blocking: upgrade, frames in, frames out.
final class BenchSocket {
    enum Phase {
        case connecting
        /// The upgrade's answer is awaited.
        case upgrading
        /// Frames come.
        case open
        case closed
    }

    let fd: Int32
    let token: Int
    private(set) var phase: Phase
    private let poller: Poller
    private let request: [UInt8]
    /// A frame that has not come whole.
    private var left: [UInt8] = []
    private var unsent: [UInt8] = []
    /// Why it closed, where it did.
    private(set) var end: String?

    /// - Parameter token: of the session; `nil` speaks frames at once, without an upgrade.
    init(_ address: Address, token: Int, session: String?, poller: Poller, source: String? = nil) throws {
        fd = try address.connect(nonblocking: true, source: source)
        self.token = token
        self.poller = poller
        phase = .connecting
        request =
            session.map {
                Array(
                    """
                    GET /ws?resume=true HTTP/1.1\r\nHost: \(address)\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c3BhcnEtYmVuY2gtMTIzNA==\r\nAuthorization: Bearer \($0)\r\n\r\n
                    """.utf8
                )
            } ?? []
        try poller.add(fd, token: token, output: true)
    }

    deinit { Glibc.close(fd) }

    /// There is room in the socket.
    func writable() {
        if phase == .connecting {
            phase = request.isEmpty ? .open : .upgrading
            if !request.isEmpty { unsent = request }
        }
        flush()
        if phase != .closed, unsent.isEmpty { poller.change(fd, token: token, output: false) }
    }

    /// Nothing waits to be sent.
    var isIdle: Bool { unsent.isEmpty }

    /// Sends bytes; what the kernel does not take waits.
    func send(_ bytes: UnsafeRawBufferPointer) {
        guard phase != .closed, let base = bytes.baseAddress, bytes.count > 0 else { return }
        guard unsent.isEmpty else { return unsent.append(contentsOf: bytes) }
        let count = max(0, Glibc.send(fd, base, bytes.count, Int32(MSG_NOSIGNAL)))
        if count < bytes.count {
            unsent.append(contentsOf: bytes[count...])
            poller.change(fd, token: token, output: true)
        }
    }

    /// Sends bytes.
    func send(_ bytes: [UInt8]) { bytes.withUnsafeBytes { send($0) } }

    private func flush() {
        guard !unsent.isEmpty else { return }
        let count = unsent.withUnsafeBytes { Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if count > 0 { unsent.removeFirst(count) }
        if unsent.isEmpty { unsent = [] }
    }

    /// Reads what is there, and calls `text` for each whole text message. `buffer` is scratch that all sockets share.
    func readable(_ buffer: UnsafeMutableRawBufferPointer, _ text: (UnsafeRawBufferPointer) -> Void) {
        guard phase != .closed, let base = buffer.baseAddress else { return }
        let kept = left.count
        if kept > 0 {
            guard kept < buffer.count else { return close("a frame is too large") }
            left.withUnsafeBytes { buffer.copyMemory(from: $0) }
        }
        let count = recv(fd, base + kept, buffer.count - kept, 0)
        guard count > 0 else {
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            return close(count == 0 ? "ended by the server" : "errno \(errno)")
        }
        var bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<(kept + count)])
        if phase == .upgrading {
            guard let head = Self.headSize(bytes) else { return keep(bytes) }
            let status = String(decoding: bytes.prefix(12), as: UTF8.self)
            guard status == "HTTP/1.1 101" else { return close("upgrade refused: \(status)") }
            phase = .open
            bytes = UnsafeRawBufferPointer(rebasing: bytes[head...])
        }
        while phase == .open, let size = frame(bytes, text) { bytes = UnsafeRawBufferPointer(rebasing: bytes[size...]) }
        keep(bytes)
    }

    private func keep(_ bytes: UnsafeRawBufferPointer) {
        if bytes.isEmpty {
            if !left.isEmpty { left = [] }
        } else {
            left = Array(bytes)
        }
    }

    /// Takes one frame from the front; returns its size, or nil where it is not whole.
    private func frame(_ bytes: UnsafeRawBufferPointer, _ text: (UnsafeRawBufferPointer) -> Void) -> Int? {
        guard bytes.count >= 2 else { return nil }
        var header = 2
        var length = Int(bytes[1] & 0x7F)
        if length == 126 {
            guard bytes.count >= 4 else { return nil }
            header = 4
            length = Int(bytes[2]) << 8 | Int(bytes[3])
        } else if length == 127 {
            guard bytes.count >= 10 else { return nil }
            header = 10
            length = bytes[2..<10].reduce(0) { $0 << 8 | Int($1) }
        }
        guard bytes.count >= header + length else { return nil }
        let payload = UnsafeRawBufferPointer(rebasing: bytes[header..<(header + length)])
        switch bytes[0] {
        case 0x81: text(payload)
        case 0x88: close("close frame \(length >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : 0)")
        // A pong with a mask of zeros.
        case 0x89: send([0x8A, 0x80 | UInt8(length), 0, 0, 0, 0] + Array(payload))
        case 0x8A: break
        default: close("unexpected frame \(bytes[0])")
        }
        return header + length
    }

    private func close(_ reason: String) {
        guard phase != .closed else { return }
        phase = .closed
        end = reason
        // The descriptor stays until deinit; nothing more is to be heard of it.
        shutdown(fd, Int32(SHUT_RDWR))
        poller.forget(fd)
    }

    private static func headSize(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in 0...(bytes.count - 4)
        where bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13 && bytes[index + 3] == 10 {
            return index + 4
        }
        return nil
    }
}
