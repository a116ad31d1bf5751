import Foundation
import Glibc

/// A program that only sends: the same frames to so many sockets, as fast as they are taken. One `send` carries one frame, or several,
/// as a front joins what is there for a socket.
public struct BareSender: Sendable {
    var receivers: Int
    var bytes: Int
    /// Frames of one `send`.
    var joined: Int

    /// A measurement; nothing runs yet.
    public init(receivers: Int, bytes: Int, joined: Int = 1) {
        self.receivers = receivers
        self.bytes = bytes
        self.joined = joined
    }

    /// Prints its port, takes so many connections, and sends until they close or it is killed.
    public func run() throws {
        let listener = try listen()
        var sockets: [Int32] = []
        while sockets.count < receivers {
            let fd = accept(listener, nil, nil)
            guard fd >= 0, fcntl(fd, F_SETFL, O_NONBLOCK) == 0 else { throw BenchError("accept: errno \(errno)") }
            var one: Int32 = 1
            setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
            sockets.append(fd)
        }
        let poller = try Poller()
        for (index, fd) in sockets.enumerated() { try poller.add(fd, token: index) }
        try send(to: sockets, poller)
    }

    private func send(to sockets: [Int32], _ poller: Poller) throws {
        var frames = BareFrames(bytes: bytes, count: joined)
        var next = Array(repeating: 1, count: sockets.count)
        var offset = Array(repeating: 0, count: sockets.count)
        var ready = Array(sockets.indices)
        var blocked: [Int] = []
        while true {
            for index in ready {
                frames.number(from: next[index])
                let start = offset[index]
                let count = frames.bytes.withUnsafeBytes {
                    Glibc.send(sockets[index], $0.baseAddress.map { $0 + start }, $0.count - start, Int32(MSG_NOSIGNAL))
                }
                if count == frames.bytes.count - start {
                    next[index] += joined
                    offset[index] = 0
                } else if count >= 0 || errno == EAGAIN {
                    offset[index] += max(0, count)
                    blocked.append(index)
                } else {
                    return
                }
            }
            if !blocked.isEmpty {
                let waiting = Set(blocked)
                ready.removeAll { waiting.contains($0) }
                for index in blocked { poller.change(sockets[index], token: index, output: true) }
                blocked.removeAll()
            }
            if ready.count == sockets.count { continue }
            var isOver = false
            try poller.wait(nanoseconds: ready.isEmpty ? 1_000_000_000 : 0) { index, readable, writable in
                if readable { isOver = true }
                guard writable else { return }
                poller.change(sockets[index], token: index, output: false)
                ready.append(index)
            }
            if isOver { return }
        }
    }

    private func listen() throws -> Int32 {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0, Address(host: "127.0.0.1", port: 0).withSystemAddress({ bind(fd, $0, $1) }) == 0, Glibc.listen(fd, 4096) == 0 else {
            throw BenchError("cannot listen: errno \(errno)")
        }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fd, $0, &size) }
        }
        FileHandle.standardOutput.write(Data("\(UInt16(bigEndian: address.sin_port))\n".utf8))
        return fd
    }
}
