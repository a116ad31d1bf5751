internal import SparqWire

/// What the server says.
extension ClientMachine {
    /// A whole text frame.
    mutating func received(_ bytes: [UInt8], now: Int) -> [ClientAction] {
        guard phase == .opened || phase == .ready else { return [] }
        lastHeard = now
        guard let frame = try? ServerFrame(decoding: bytes[...]) else {
            counters.malformed += 1
            return []
        }
        switch frame {
        case .reply(let body): return phase == .ready ? reply(body, bytes, now) : []
        case .welcome(let welcome):
            guard phase == .opened else {
                counters.malformed += 1
                return []
            }
            return ready(Welcome(welcome), now: now)
        case .reconnect(let frame):
            leaveAt = now + max(0, frame.afterMilliseconds)
            return []
        case .subscribed(let frame): return frame.isOffer ? offered(frame.topics) : subscribed(frame.topics)
        case .truncated(let frame): return truncated(frame)
        case .pong: return event(ServerEvent(type: PongFrame.type, topic: nil, seq: nil, bytes: bytes))
        case .event(let body): return event(ServerEvent(type: body.type, topic: body.topic, seq: body.seq, bytes: bytes))
        }
    }

    /// What the server subscribes us to on its own: from now on these topics are resumed like all others.
    private mutating func subscribed(_ granted: [String: Int]) -> [ClientAction] {
        let isFirst = !resumes
        resumes = true
        // What the owner let go of before we could know that the server would begin with it.
        let unwanted = isFirst ? granted.keys.filter { declined.contains($0) }.sorted() : []
        // Where we have a cursor, our own subscription is on its way, and the server begins anew behind it.
        for (topic, seq) in granted where !unwanted.contains(topic) {
            if topics[topic]?.cursor == nil { topics[topic, default: TopicState()].cursor = seq }
            // Subscribed anew after the owner had let go of it.
            if topics[topic]?.isLeaving != true { declined.remove(topic) }
        }
        return unwanted.isEmpty ? [] : leave(unwanted)
    }

    private mutating func truncated(_ frame: TruncatedFrame) -> [ClientAction] {
        guard !isUnwanted(frame.topic) else { return [] }
        topics[frame.topic, default: TopicState()].cursor = max(topics[frame.topic]?.cursor ?? 0, frame.first - 1)
        return [.deliver(.truncated(topic: frame.topic, after: frame.after, first: frame.first))]
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

    private mutating func reply(_ body: ReplyBody, _ bytes: [UInt8], _ now: Int) -> [ClientAction] {
        guard let ordinal = body.re.flatMap(ordinal) else {
            counters.strayReplies += 1
            return []
        }
        let failure: ErrorBody?
        switch body.outcome {
        case .success:
            isAnswered = true
            failure = nil
        case .failure(let error): failure = error
        }
        if requests[ordinal] != nil { return answer(ordinal, failure, Reply(bytes: bytes, isRepeat: body.isRepeat), now) }
        if subscriptions[ordinal] != nil { return answer(subscription: ordinal, failure, body, now) }
        if unsubscriptions[ordinal] != nil {
            answer(unsubscription: ordinal, failure?.code, now)
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
        _ failure: ErrorBody?,
        _ reply: Reply,
        _ now: Int
    ) -> [ClientAction] {
        guard var request = requests[ordinal] else { return [] }
        var actions: [ClientAction] = []
        if let failure, isPassing(failure.code), request.deadline > now {
            // A second answer to the same writing changes nothing.
            guard request.isWritten else { return [] }
            counters.passing += 1
            request.isWritten = false
            writtenCount -= 1
            request.retryAt = now + retryDelay(after: failure.code, request.attempts)
            request.attempts += 1
            earliest = min(earliest, request.retryAt ?? .max)
            requests[ordinal] = request
            // Back to its place: what is behind it and not written yet waits for it.
            unwritten.insert(ordinal, at: unwritten.firstIndex { $0 > ordinal } ?? unwritten.endIndex)
        } else {
            forget(ordinal)
            let result: Result<Reply, ClientError> =
                if let failure { .failure(ClientError(.refused, reason: failure.code, failure.message)) } else { .success(reply) }
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
        _ failure: ErrorBody?,
        _ body: ReplyBody,
        _ now: Int
    ) -> [ClientAction] {
        guard let subscription = subscriptions[ordinal] else { return [] }
        if (failure?.code).map(isPassing) ?? subscription.isInVain, subscription.deadline > now {
            if failure != nil { counters.passing += 1 }
            let retryAt = now + retryDelay(after: failure?.code, subscription.attempts)
            subscriptions[ordinal]?.attempts += 1
            subscriptions[ordinal]?.retryAt = retryAt
            earliest = min(earliest, retryAt)
            return []
        }
        subscriptions[ordinal] = nil
        var actions: [ClientAction] = []
        let outcomes = SubscriptionOutcome.byTopic(body)
        for topic in subscription.topics where topics[topic]?.asked == ordinal {
            topics[topic]?.asked = nil
            switch outcomes[topic] ?? .refused(failure?.code ?? .internal) {
            case .subscribed(let seq):
                if topics[topic]?.cursor == nil { topics[topic]?.cursor = seq }
            case .refused(let code):
                topics[topic] = nil
                if subscription.token == nil { actions.append(.deliver(.lost(topic: topic, reason: code))) }
            }
        }
        guard let token = subscription.token else { return actions }
        if let failure {
            let error = ClientError(.refused, reason: failure.code, failure.message)
            actions.append(.subscribed(token: token, .failure(error)))
        } else {
            actions.append(.subscribed(token: token, .success(outcomes)))
        }
        return actions
    }
}
