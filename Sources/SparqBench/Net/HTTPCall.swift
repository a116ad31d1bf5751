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
