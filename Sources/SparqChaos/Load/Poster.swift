import SparqClient

/// Posts a message until it has its answer, from one front to the next, always under the same id.
struct Poster: Sendable {
    let token: String?
    let deadline: ContinuousClock.Instant

    func post(_ message: [UInt8], at urls: [String]) async -> SentMessage.Outcome {
        let answer = await answer(message, at: urls)
        guard let answer else { return .unanswered }
        return answer.status == 200 ? .accepted : .refused("\(answer.status) \(answer.text.prefix(200))")
    }

    /// The first answer that is not a passing failure; `nil` where there is none until the deadline.
    func answer(_ message: [UInt8], at urls: [String]) async -> HTTPAnswer? {
        var turn = 0
        while ContinuousClock.now < deadline, !Task.isCancelled {
            let url = urls[turn % urls.count]
            turn += 1
            var headers: [(name: String, value: String)] = [(name: "Content-Type", value: "application/json")]
            if let token { headers.append((name: "Authorization", value: "Bearer \(token)")) }
            let answer = try? await HTTPExchange.request("POST", url, headers: headers, body: message, timeout: .seconds(12))
            if let answer, ![408, 429, 502, 503].contains(answer.status) { return answer }
            await pause(.milliseconds(min(2_000, 100 * turn)))
        }
        return nil
    }
}
