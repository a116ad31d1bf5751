import Foundation
import SparqClient

/// A running `sparq front`.
struct Front: Sendable {
    let process: RunningProcess
    let id: String
    let port: Int

    var http: String { "http://127.0.0.1:\(port)" }
    var socket: String { "ws://127.0.0.1:\(port)/ws" }

    /// The status of a path, or `nil` where nobody answers.
    func status(_ path: String) async -> Int? {
        try? await HTTPExchange.request("GET", http + path, timeout: .seconds(5)).status
    }

    func post(_ json: String, token: String? = nil, cookie: String? = nil) async throws -> HTTPAnswer {
        let headers = cookie.map { [(name: "Cookie", value: $0)] } ?? []
        return try await HTTPExchange.post(http + "/v1/messages", message: Array(json.utf8), token: token, headers: headers)
    }
}
