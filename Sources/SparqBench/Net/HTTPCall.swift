import Foundation
import Glibc

/// `POST /v1/messages`, blocking: for what is set up before a measurement.
struct HTTPCall {
    let address: Address
    var token: String?

    /// Sends a message and returns the reply's object; an error reply is thrown.
    func send(_ message: [String: Any]) throws -> [String: Any] {
        let body = try JSONSerialization.data(withJSONObject: message)
        var request = "POST /v1/messages HTTP/1.1\r\nHost: \(address)\r\nContent-Type: application/json\r\nConnection: close\r\n"
        if let token { request += "Authorization: Bearer \(token)\r\n" }
        request += "Content-Length: \(body.count)\r\n\r\n"
        let answer = try exchange(Array(request.utf8) + body)
        guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)),
            let reply = try? JSONSerialization.jsonObject(with: Data(answer[end.upperBound...])) as? [String: Any]
        else { throw BenchError("\(address) gave no JSON reply: \(String(decoding: answer.prefix(200), as: UTF8.self))") }
        guard reply["ok"] as? Bool == true else { throw BenchError("\(message["type"] ?? ""): \(reply["error"] ?? reply)") }
        return reply
    }

    private func exchange(_ request: [UInt8]) throws -> [UInt8] {
        let fd = try address.connect(nonblocking: false)
        defer { close(fd) }
        guard Glibc.send(fd, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            throw BenchError("cannot write to \(address)")
        }
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 30_000) > 0 else { throw BenchError("\(address) does not answer") }
            let count = recv(fd, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            answer += chunk[..<count]
        }
        return answer
    }
}

/// A user made for a bench. Only one: hashing a password is slow on purpose.
public struct BenchUser: Sendable {
    let name: String
    let token: String

    /// Registers a user with a random name.
    public init(at address: Address) throws {
        name = "bench-\(String(UInt64.random(in: 1 << 48..<1 << 49), radix: 36))"
        let password = String(UInt64.random(in: 1 << 63 ... .max), radix: 36)
        let reply = try HTTPCall(address: address).send(["type": "auth.register", "user": name, "password": password])
        guard let token = (reply["data"] as? [String: Any])?["token"] as? String else {
            throw BenchError("no token came with the new user")
        }
        self.token = token
    }

    /// Makes rooms whose only member is this user.
    func makeRooms(_ names: [String], at address: Address) throws {
        let call = HTTPCall(address: address, token: token)
        for name in names { _ = try call.send(["type": "room.create", "id": "make-\(name)", "room": name]) }
    }
}
