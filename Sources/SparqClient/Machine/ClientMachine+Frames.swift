internal import SparqWire

/// What the server says.
extension ClientMachine {
    /// A whole text frame.
    mutating func received(_ bytes: [UInt8], now: Int) -> [ClientAction] {
        guard phase == .opened || phase == .ready else { return [] }
        lastHeard = now
        guard let frame = ServerFrame(bytes) else {
            counters.malformed += 1
            return []
        }
        if frame.ok != nil { return phase == .ready ? reply(frame, bytes, now) : [] }
        switch frame.type {
        case "$welcome"?:
            guard phase == .opened, let welcome = frame.welcome else { break }
            return ready(welcome, now: now)
        case "$reconnect"?:
            leaveAt = now + max(0, frame.after_ms ?? 0)
            return []
        case "$subscribed"?:
            // What the server subscribes us to on its own: from now on these topics are resumed like all others.
            let isFirst = !resumes
            resumes = true
            // What the owner let go of before we could know that the server would begin with it.
            let unwanted = isFirst ? (frame.topics ?? [:]).keys.filter { declined.contains($0) }.sorted() : []
            // Where we have a cursor, our own subscription is on its way, and the server begins anew behind it.
            for (topic, seq) in frame.topics ?? [:] where !unwanted.contains(topic) {
                if topics[topic]?.cursor == nil { topics[topic, default: TopicState()].cursor = seq }
                // Subscribed anew after the owner had let go of it.
                if topics[topic]?.isLeaving != true { declined.remove(topic) }
            }
            return unwanted.isEmpty ? [] : leave(unwanted)
        case "$offered"?: return offered(frame.topics ?? [:])
        case "$truncated"?:
            guard let topic = frame.topic, let first = frame.first else { break }
            return truncated(topic, after: frame.after ?? 0, first: first)
        case let type?: return event(ServerEvent(type: type, topic: frame.topic, seq: frame.seq, bytes: bytes))
        case nil: break
        }
        counters.malformed += 1
        return []
    }

    private mutating func truncated(_ topic: String, after: Int, first: Int) -> [ClientAction] {
        guard !isUnwanted(topic) else { return [] }
        topics[topic, default: TopicState()].cursor = max(topics[topic]?.cursor ?? 0, first - 1)
        return [.deliver(.truncated(topic: topic, after: after, first: first))]
    }

    /// Let go of, and not named by the server since: what still comes was on its way.
    private func isUnwanted(_ topic: String) -> Bool { topics[topic]?.isLeaving ?? declined.contains(topic) }

    private mutating func event(_ event: ServerEvent) -> [ClientAction] {
        guard let topic = event.topic, let seq = event.seq else { return [.deliver(.event(event))] }
        guard !isUnwanted(topic) else { return [] }
        var state = topics[topic] ?? TopicState()
        var actions: [ClientAction] = []
        if let cursor = state.cursor {
            guard seq > cursor else {
                if state.missed.remove(seq) == nil {
                    counters.repeated += 1
                } else {
                    counters.inverted += 1
                    topics[topic] = state
                }
                return []
            }
            if seq > cursor + 1 {
                // A subscription with this cursor is on its way: the events come again behind it, without the hole.
                if state.asked != nil {
                    counters.early += 1
                    return []
                }
                counters.gaps += 1
                state.missed.formUnion((cursor + 1..<seq).prefix(max(0, 1_024 - state.missed.count)))
                actions.append(.deliver(.gap(topic: topic, cursor: cursor, seq: seq)))
            }
        }
        state.cursor = seq
        topics[topic] = state
        counters.events += 1
        actions.append(.deliver(.event(event)))
        return actions
    }

    private mutating func reply(_ frame: ServerFrame, _ bytes: [UInt8], _ now: Int) -> [ClientAction] {
        guard let ordinal = frame.re.flatMap(ordinal) else {
            counters.strayReplies += 1
            return []
        }
        if frame.ok == true { isAnswered = true }
        let failure = frame.ok == true ? nil : ErrorCode(rawValue: frame.error?.code ?? "internal")
        if requests[ordinal] != nil { return answer(ordinal, failure, frame, bytes, now) }
        if subscriptions[ordinal] != nil { return answer(subscription: ordinal, failure, frame, bytes, now) }
        if unsubscriptions[ordinal] != nil {
            answer(unsubscription: ordinal, failure, now)
        } else {
            counters.strayReplies += 1
        }
        return []
    }

    private mutating func answer(unsubscription ordinal: Int, _ failure: ErrorCode?, _ now: Int) {
        guard let failure, isPassing(failure) else { return endUnsubscription(ordinal) }
        let retryAt = now + retryDelay(after: failure, unsubscriptions[ordinal]?.attempts ?? 0)
        unsubscriptions[ordinal]?.attempts += 1
        unsubscriptions[ordinal]?.retryAt = retryAt
        earliest = min(earliest, retryAt)
        for topic in unsubscriptions[ordinal]?.topics ?? [] {
            guard let asked = topics[topic]?.asked, subscriptions[asked]?.rewinds.contains(topic) ?? false else { continue }
            subscriptions[asked]?.isInVain = true
        }
    }

    /// Codes after which the same message may be sent again.
    private func isPassing(_ code: ErrorCode) -> Bool { code == .unavailable || code == .rateLimited }

    private mutating func answer(
        _ ordinal: Int,
        _ failure: ErrorCode?,
        _ frame: ServerFrame,
        _ bytes: [UInt8],
        _ now: Int
    ) -> [ClientAction] {
        guard var request = requests[ordinal] else { return [] }
        var actions: [ClientAction] = []
        if let failure, isPassing(failure), request.deadline > now {
            // A second answer to the same writing changes nothing.
            guard request.isWritten else { return [] }
            counters.passing += 1
            request.isWritten = false
            writtenCount -= 1
            request.retryAt = now + retryDelay(after: failure, request.attempts)
            request.attempts += 1
            earliest = min(earliest, request.retryAt ?? .max)
            requests[ordinal] = request
            // Back to its place: what is behind it and not written yet waits for it.
            unwritten.insert(ordinal, at: unwritten.firstIndex { $0 > ordinal } ?? unwritten.endIndex)
        } else {
            forget(ordinal)
            let result: Result<Reply, ClientError> =
                if let failure {
                    .failure(ClientError(.refused, reason: failure, frame.error?.message ?? ""))
                } else {
                    .success(Reply(bytes: bytes, isRepeat: frame.repeat ?? false))
                }
            actions.append(.complete(token: request.token, result))
        }
        flush(now, &actions)
        return actions
    }

    /// How long a message that was refused in passing waits: ever longer while the service is away, 2 s at most where the client itself
    /// was too fast.
    private mutating func retryDelay(after failure: ErrorCode?, _ attempts: Int) -> Int {
        backoff.delay(attempt: failure == .rateLimited ? min(attempts, 4) : attempts, floor: 100)
    }

    private mutating func answer(
        subscription ordinal: Int,
        _ failure: ErrorCode?,
        _ frame: ServerFrame,
        _ bytes: [UInt8],
        _ now: Int
    ) -> [ClientAction] {
        guard let subscription = subscriptions[ordinal] else { return [] }
        if failure.map(isPassing) ?? subscription.isInVain, subscription.deadline > now {
            if failure != nil { counters.passing += 1 }
            let retryAt = now + retryDelay(after: failure, subscription.attempts)
            subscriptions[ordinal]?.attempts += 1
            subscriptions[ordinal]?.retryAt = retryAt
            earliest = min(earliest, retryAt)
            return []
        }
        subscriptions[ordinal] = nil
        var actions: [ClientAction] = []
        var outcomes: [String: SubscriptionOutcome] = [:]
        if failure == nil, let answered = ServerFrame.outcomes(bytes) { outcomes = answered }
        for topic in subscription.topics where topics[topic]?.asked == ordinal {
            topics[topic]?.asked = nil
            switch outcomes[topic] ?? .refused(failure ?? .internal) {
            case .subscribed(let seq):
                if topics[topic]?.cursor == nil { topics[topic]?.cursor = seq }
            case .refused(let code):
                topics[topic] = nil
                if subscription.token == nil { actions.append(.deliver(.lost(topic: topic, reason: code))) }
            }
        }
        guard let token = subscription.token else { return actions }
        if let failure {
            let error = ClientError(.refused, reason: failure, frame.error?.message ?? "")
            actions.append(.subscribed(token: token, .failure(error)))
        } else {
            actions.append(.subscribed(token: token, .success(outcomes)))
        }
        return actions
    }
}
