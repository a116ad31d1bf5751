import Foundation
import Glibc

/// TCP on the loopback address.
enum Ports {
    struct Failure: Error {}

    static func listen(_ wanted: UInt16 = 0) throws -> (socket: Int32, port: UInt16) {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(wanted)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && Glibc.listen(socket, 64) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard isListening else {
            close(socket)
            throw Failure()
        }
        return (socket, UInt16(bigEndian: address.sin_port))
    }

    /// A port that nobody listens on, at this moment; below those that the kernel gives to outgoing connections, which could take it.
    static func free() throws -> UInt16 {
        for _ in 0..<100 {
            guard let (socket, port) = try? listen(.random(in: 20000..<32000)) else { continue }
            close(socket)
            return port
        }
        throw Failure()
    }

    static func connect(_ port: UInt16) -> Int32? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(port)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            close(socket)
            return nil
        }
        return socket
    }

    /// How many bytes wait in the kernel for a server to have room for them.
    static func unread(by port: UInt16) throws -> Int {
        let digits = String(port, radix: 16, uppercase: true)
        let peer = ":" + String(repeating: "0", count: 4 - digits.count) + digits
        return try ["tcp", "tcp6"].map { table in
            // `String(contentsOfFile:)` reads a page of it at most.
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/net/\(table)"))
            return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self).split(separator: "\n").map { line in
                // Remote address, and the queues of what was written and what came.
                let fields = line.split(separator: " ")
                guard fields.count > 4, fields[2].hasSuffix(peer) else { return 0 }
                return Int(fields[4].prefix { $0 != ":" }, radix: 16) ?? 0
            }.reduce(0, +)
        }.reduce(0, +)
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
