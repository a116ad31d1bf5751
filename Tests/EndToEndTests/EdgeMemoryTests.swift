import Foundation
import Glibc
import SparqClient
import Testing

/// Whoever has no session cannot make a front keep what they send. The server is a process of its own, so that its memory is nobody else's.
@Suite(.serialized, .timeLimit(.minutes(2))) struct EdgeMemoryTests {
    private static let get = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    private static let upgrade =
        "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

    @Test(arguments: [
        ("a tunnel", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a refused upgrade", Self.upgrade),
        ("a late upgrade", Self.get + Self.upgrade),
        ("another protocol", Self.get + Self.upgrade.replacingOccurrences(of: "websocket", with: "h2c")),
        ("a body that nobody reads", "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 67108864\r\n\r\n"),
        ("a chunk's extension", "POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;"),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ])
    func whatFollowsIsNotKept(name: String, request: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(TestEnvironment.random("edge-"))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let server = try RunningProcess(
            "echo",
            executable: try TestEnvironment.binary(),
            arguments: ["front", "--echo", "--port", "0"],
            environment: [:],
            folder: folder
        )
        let port = try await eventually("it listens") { server.log.firstMatch(of: /port=([0-9]+)/).flatMap { UInt16($0.1) } }
        // What it needs for a connection at all.
        _ = try? Self.flood(port, Self.get, bytes: 0)
        let before = try Self.memory(of: server.pid)
        for _ in 0..<4 { try Self.flood(port, request, bytes: 64 << 20) }
        let after = try Self.memory(of: server.pid)
        #expect(after - before < 16 << 20, "\(name): \(before >> 20) MB before, \(after >> 20) MB after")
        _ = try await server.stop()
    }

    /// Resident bytes, at their highest.
    private static func memory(of process: pid_t) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return 1024 * (line?.split(separator: " ").dropFirst().first.flatMap { Int($0.filter(\.isNumber)) } ?? 0)
    }

    /// Sends a request, and then bytes until it is done or the server ends the connection. Keeps none of it.
    private static func flood(_ port: UInt16, _ request: String, bytes: Int) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, size) }
        }
        guard connected == 0 else { throw RunningProcess.Failure(description: "no connection: \(errno)") }
        let text = Array(request.utf8)
        guard send(socket, text, text.count, Int32(MSG_NOSIGNAL)) == text.count else { return }
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16)
        var sent = 0
        while sent < bytes {
            let count = send(socket, piece, piece.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return }
            sent += count
        }
    }
}
