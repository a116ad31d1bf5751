internal import SparqWire

/// What the owner asks for.
extension ClientMachine {
    /// Takes a message; it is written as soon as the session is open and the server's window has room.
    mutating func send(type: String, fields: [UInt8], token: Int, deadline: Int, now: Int) -> [ClientAction] {
        if let refusal = refusal() { return [.complete(token: token, .failure(refusal))] }
        guard requests.count < configuration.unansweredLimit else {
            return [.complete(token: token, .failure(ClientError(.tooManyUnanswered, "More messages wait for an answer than allowed.")))]
        }
        let ordinal = takeOrdinal()
        let body = Frame(type: type, id: id(ordinal)).json(fields: fields)
        if let limit = welcome?.messageBytes, body.count > limit {
            return [.complete(token: token, .failure(ClientError(.tooLarge, "The server takes \(limit) bytes at most.")))]
        }
        requests[ordinal] = Request(token: token, body: body, deadline: deadline)
        earliest = min(earliest, deadline)
        guard phase == .ready else { return [] }
        unwritten.append(ordinal)
        var actions: [ClientAction] = []
        flush(now, &actions)
        return actions
    }

    /// Takes topics with the cursors that the owner has; `nil` is "from now on", or from where the client itself stands.
    mutating func subscribe(_ wanted: [String: Int?], token: Int, deadline: Int) -> [ClientAction] {
        if let refusal = refusal() { return [.subscribed(token: token, .failure(refusal))] }
        guard !wanted.isEmpty else { return [.subscribed(token: token, .success([:]))] }
        guard wanted.count <= Self.topicsPerSubscription else {
            return [.subscribed(token: token, .failure(ClientError(.tooLarge, "More than \(Self.topicsPerSubscription) topics at once.")))]
        }
        let ordinal = takeOrdinal()
        var rewinds: [String] = []
        for (topic, cursor) in wanted {
            var state = topics[topic] ?? TopicState()
            if let cursor {
                // Nobody knows yet whether the server hears of an end that is on its way; where it does not, it would keep the old place.
                if phase == .ready, state.isLeaving || state.cursor.map({ cursor < $0 }) ?? false { rewinds.append(topic) }
                (state.cursor, state.missed) = (cursor, [])
            }
            state.asked = ordinal
            state.isLeaving = false
            topics[topic] = state
            declined.remove(topic)
        }
        subscriptions[ordinal] = Subscription(token: token, topics: wanted.keys.sorted(), deadline: deadline, rewinds: rewinds)
        earliest = min(earliest, deadline)
        var actions: [ClientAction] = []
        if phase == .ready { write(subscription: ordinal, &actions) }
        return actions
    }

    /// Lets go of topics. There is nothing to wait for: what still comes is dropped.
    mutating func unsubscribe(_ unwanted: [String]) -> [ClientAction] {
        for topic in unwanted { declined.insert(topic) }
        let known = unwanted.filter { topics[$0] != nil }
        guard phase == .ready, !known.isEmpty else {
            for topic in known { topics[topic] = nil }
            return []
        }
        return leave(known)
    }

    /// Tells the server that topics are not wanted any more.
    mutating func leave(_ unwanted: [String]) -> [ClientAction] {
        for topic in unwanted { topics[topic] = TopicState(isLeaving: true) }
        var actions: [ClientAction] = []
        var rest = unwanted[...]
        while !rest.isEmpty {
            actions.append(writeUnsubscription(of: Array(rest.prefix(Self.topicsPerSubscription))))
            rest = rest.dropFirst(Self.topicsPerSubscription)
        }
        return actions
    }

    /// Once more, but for what is wanted again.
    mutating func leaveAgain(_ ordinal: Int, _ actions: inout [ClientAction]) {
        guard let refused = unsubscriptions.removeValue(forKey: ordinal) else { return }
        let unwanted = refused.topics.filter { topics[$0]?.isLeaving == true }
        if !unwanted.isEmpty { actions.append(writeUnsubscription(of: unwanted, attempts: refused.attempts)) }
    }

    private mutating func writeUnsubscription(of topics: [String], attempts: Int = 0) -> ClientAction {
        let ordinal = takeOrdinal()
        unsubscriptions[ordinal] = Unsubscription(topics: topics, attempts: attempts)
        return .write(UnsubscribeMessage(id: id(ordinal), topics: topics).json)
    }

    /// The caller waits no longer. A message that was written may take effect all the same.
    mutating func cancel(token: Int, now: Int) -> [ClientAction] {
        let error = ClientError(.cancelled, "The caller was cancelled.")
        var actions: [ClientAction] = []
        if let ordinal = requests.first(where: { $0.value.token == token })?.key {
            forget(ordinal)
            actions.append(.complete(token: token, .failure(error)))
        } else if let ordinal = subscriptions.first(where: { $0.value.token == token })?.key {
            subscriptions[ordinal]?.token = nil
            subscriptions[ordinal]?.deadline = .max
            actions.append(.subscribed(token: token, .failure(error)))
        }
        if phase == .ready { flush(now, &actions) }
        return actions
    }

    private func refusal() -> ClientError? {
        phase == .finished ? ClientError(.closed, "The client is closed.") : nil
    }

    mutating func forget(_ ordinal: Int) {
        guard let request = requests.removeValue(forKey: ordinal) else { return }
        if request.isWritten { writtenCount -= 1 } else { unwritten.removeAll { $0 == ordinal } }
    }

    /// Writes what the server's window has room for, in order: one that has to wait before it is tried again holds up those behind it.
    mutating func flush(_ now: Int, _ actions: inout [ClientAction]) {
        guard let welcome else { return }
        var taken = 0
        for ordinal in unwritten {
            guard writtenCount < welcome.inFlight else { break }
            if let retryAt = requests[ordinal]?.retryAt, retryAt > now { break }
            taken += 1
            guard let request = requests[ordinal] else { continue }
            if request.body.count > welcome.messageBytes {
                requests[ordinal] = nil
                let error = ClientError(.tooLarge, "The server takes \(welcome.messageBytes) bytes at most.")
                actions.append(.complete(token: request.token, .failure(error)))
                continue
            }
            if request.wasWritten { counters.resent += 1 }
            requests[ordinal]?.isWritten = true
            requests[ordinal]?.wasWritten = true
            requests[ordinal]?.retryAt = nil
            writtenCount += 1
            actions.append(.write(request.body))
        }
        unwritten.removeFirst(taken)
    }

    mutating func write(subscription ordinal: Int, _ actions: inout [ClientAction]) {
        guard let subscription = subscriptions[ordinal] else { return }
        // A topic that was let go, or asked for again since, is no part of it any more.
        let asked = subscription.topics.filter { topics[$0]?.asked == ordinal }
        guard !asked.isEmpty else {
            subscriptions[ordinal] = nil
            if let token = subscription.token { actions.append(.subscribed(token: token, .success([:]))) }
            return
        }
        subscriptions[ordinal]?.isWritten = true
        subscriptions[ordinal]?.isInVain = false
        let rewinds = asked.filter { subscription.rewinds.contains($0) }
        if !rewinds.isEmpty { actions.append(writeUnsubscription(of: rewinds)) }
        var message = SubscribeMessage.Writer(id: id(ordinal))
        for topic in asked { message.add(topic, (topics[topic]?.cursor).map { .after($0) } ?? .now) }
        actions.append(.write(message.finish()))
    }
}
