import Foundation
import Glibc

/// The frames of the yardstick: as long as the events of the fan-out, with a number of fixed width.
enum BareFrame {
    static let prefix = Array("{\"type\":\"room.message\",\"topic\":\"room:bench-bare-0\",\"seq\":".utf8)

    /// An unmasked text frame, and where the two numbers go.
    static func make(bytes: Int) -> (frame: [UInt8], places: [Int]) {
        var payload = prefix
        var places = [payload.count]
        payload += Array(
            "000000000,\"at\":\"2026-01-31T12:00:00.000Z\",\"data\":{\"room\":\"bench-bare-0\",\"from\":\"bench-bare\",\"text\":\"n".utf8
        )
        places.append(payload.count)
        // The text is what it is in a client's message of so many bytes.
        let text = max(9, bytes - 78)
        payload += Array("000000000".utf8) + Array(repeating: UInt8(ascii: "x"), count: text - 9) + Array("\"}}".utf8)
        let header: [UInt8] =
            payload.count < 126 ? [0x81, UInt8(payload.count)] : [0x81, 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        return (header + payload, places.map { $0 + header.count })
    }
}

/// A program that only sends: the same frames to so many sockets, one `send` for each, as fast as they are taken.
public struct BareSender: Sendable {
    var receivers: Int
    var bytes: Int

    /// A measurement; nothing runs yet.
    public init(receivers: Int, bytes: Int) {
        self.receivers = receivers
        self.bytes = bytes
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
        var (frame, places) = BareFrame.make(bytes: bytes)
        var next = Array(repeating: 1, count: sockets.count)
        var offset = Array(repeating: 0, count: sockets.count)
        var ready = Array(sockets.indices)
        var blocked: [Int] = []
        while true {
            for index in ready {
                Self.write(next[index], into: &frame, at: places)
                let start = offset[index]
                let count = frame.withUnsafeBytes {
                    Glibc.send(sockets[index], $0.baseAddress.map { $0 + start }, $0.count - start, Int32(MSG_NOSIGNAL))
                }
                if count == frame.count - start {
                    next[index] += 1
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

    private static func write(_ number: Int, into frame: inout [UInt8], at places: [Int]) {
        for place in places {
            var rest = number
            for digit in stride(from: 8, through: 0, by: -1) {
                frame[place + digit] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
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

/// The yardstick's own process.
final class BareSenderProcess {
    let address: Address
    private let process = Process()

    var pid: Int { Int(process.processIdentifier) }

    init(program: String, receivers: Int, bytes: Int) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["bench", "bare-sender", "--receivers", "\(receivers)", "--bytes", "\(bytes)"]
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = UInt16(line.prefix { $0.isNumber }) else { throw BenchError("the bare sender did not start") }
        address = Address(host: "127.0.0.1", port: port)
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }
}
