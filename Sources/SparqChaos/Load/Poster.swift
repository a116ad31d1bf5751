import PlainHTTP

/// Posts a message until it has its answer, from one front to the next, always under the same id.
struct Poster: Sendable {
    let token: String?
    let deadline: ContinuousClock.Instant

    /// What became of a message.
    struct Posting: Sendable {
        /// The first answer that is not a passing failure; `nil` where there was none until the deadline.
        var answer: HTTPAnswer?
        /// Every try before it that came to nothing, but for refused connections: a front that is restarted takes none, and whoever posts
        /// without a proxy goes to the next. Whatever a front has taken it answers, also while it drains.
        var troubles: [String] = []

        var outcome: SentMessage.Outcome {
            guard let answer else { return .unanswered }
            return answer.status == 200 ? .accepted : .refused("\(answer.status) \(answer.text.prefix(200))")
        }
    }

    func answer(_ message: [UInt8], at urls: [String]) async -> HTTPAnswer? { await post(message, at: urls).answer }

    func post(_ message: [UInt8], at urls: [String]) async -> Posting {
        var posting = Posting()
        var turn = 0
        while ContinuousClock.now < deadline, !Task.isCancelled {
            let url = urls[turn % urls.count]
            turn += 1
            var headers: [(name: String, value: String)] = [(name: "Content-Type", value: "application/json")]
            if let token { headers.append((name: "Authorization", value: "Bearer \(token)")) }
            do {
                let answer = try await HTTPExchange.request("POST", url, headers: headers, body: message, timeout: .seconds(12))
                guard Self.isPassing(answer.status) else {
                    posting.answer = answer
                    return posting
                }
                posting.troubles.append("\(answer.status) \(answer.text.prefix(100))")
            } catch {
                if !Self.isRefusedConnection(error.message) { posting.troubles.append(error.message) }
            }
            await pause(.milliseconds(min(2_000, 100 * turn)))
        }
        return posting
    }

    /// Statuses after which the same message may be posted again.
    static func isPassing(_ status: Int) -> Bool { [408, 429, 502, 503].contains(status) }

    /// ECONNREFUSED: nobody listens there, and nothing was sent.
    static func isRefusedConnection(_ message: String) -> Bool { message.contains("errno: 111") }
}
