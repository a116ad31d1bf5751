import Foundation
import PlainHTTP

/// A running `sparq front`.
struct Front: Sendable {
    let process: RunningProcess
    let id: String
    let port: Int

    var http: String { "http://127.0.0.1:\(port)" }
    var socket: String { "ws://127.0.0.1:\(port)/ws" }

    /// The names of the queues that it has consumed so far, the latest last.
    var queues: [String] {
        process.log.split(separator: "\n").filter { $0.contains("The node's queue is consumed") }.compactMap { line in
            line.split(separator: " ").first { $0.hasPrefix("queue=") }.map { String($0.dropFirst("queue=".count)) }
        }
    }

    /// The status of a path, or `nil` where nobody answers.
    func status(_ path: String) async -> Int? {
        try? await HTTPExchange.request("GET", http + path, timeout: .seconds(5)).status
    }

    func post(_ json: String, token: String? = nil, cookie: String? = nil) async throws -> HTTPAnswer {
        let headers = cookie.map { [(name: "Cookie", value: $0)] } ?? []
        return try await HTTPExchange.post(http + "/v1/messages", message: Array(json.utf8), token: token, headers: headers)
    }
}
