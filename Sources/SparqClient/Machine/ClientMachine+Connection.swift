internal import SparqWire

/// The socket's life.
extension ClientMachine {
    /// The owner wants the client to run.
    mutating func start(now: Int) -> [ClientAction] {
        guard phase == .idle else { return [] }
        phase = .connecting
        phaseSince = now
        return [.connect(after: 0)]
    }

    /// The upgrade succeeded.
    mutating func connected(now: Int) {
        guard phase == .connecting else { return }
        phase = .opened
        phaseSince = now
        lastHeard = now
    }

    /// No socket came about: `status` is the HTTP status of a refused upgrade, `nil` where there was none; `retryAfter` are the seconds
    /// that the server asked for.
    mutating func connectFailed(status: Int?, retryAfter: Int? = nil, now: Int) -> [ClientAction] {
        guard phase == .connecting else { return [] }
        switch status {
        case 401?: return finish(ClientError(.unauthenticated, "The session was refused."))
        case let status? where status == 400 || status == 403:
            return finish(ClientError(.gaveUp, "The server refused the upgrade with status \(status)."))
        // Balancers and fronts that go away answer with all kinds of others, 404 among them; they pass.
        default:
            // No server gets rid of a client for longer than a minute.
            let asked = retryAfter.map { min(max($0, 0), 60) * 1_000 }
            return [.connect(after: backoff.next(now: now, floor: asked ?? (status == 503 ? 1_000 : 0)))]
        }
    }

    /// The server's certificate was refused: by no try does it become another one.
    mutating func distrusted(_ reason: String) -> [ClientAction] {
        guard phase == .connecting else { return [] }
        return finish(ClientError(.untrusted, "The server's certificate is not trusted: \(reason)"))
    }

    /// The owner wants no more.
    mutating func close() -> [ClientAction] {
        guard phase != .finished else { return [] }
        let isOpen = phase == .opened || phase == .ready
        return (isOpen ? [.disconnect(code: 1000)] : []) + finish(nil)
    }

    /// The socket is gone. What is to be done follows from the code: the table in the protocol's description.
    mutating func closed(code: Int?, now: Int) -> [ClientAction] {
        guard phase == .opened || phase == .ready else { return [] }
        if phase == .ready, hasProvenItself(now) { backoff.reset() }
        if leaveAt == nil, code != 1012 { counters.unannounced += 1 }
        let remaining = leaveAt.map { max(0, $0 - now) }
        var actions: [ClientAction] = phase == .ready ? [.deliver(.disconnected(closeCode: code))] : []
        if code == 1009 { forgetLargest(&actions) }
        leaveSocket()
        switch code {
        case 1002?, 1003?, 1007?:
            return actions + finish(ClientError(.gaveUp, closeCode: code, "The server found a fault in what the client sent."))
        case CloseCodes.sessionEnded?:
            return actions + finish(ClientError(.unauthenticated, closeCode: code, "The session ended; log in again."))
        case CloseCodes.disconnected?:
            return actions + finish(ClientError(.gaveUp, closeCode: code, "The server ended the connection for good."))
        case 1011?, 1013?: actions.append(.connect(after: backoff.next(now: now, floor: 1_000)))
        case 1012? where remaining != nil: actions.append(.connect(after: remaining ?? 0))
        default: actions.append(.connect(after: backoff.next(now: now)))
        }
        return actions
    }

    /// Whether the connection shows that an outage is over. A welcome alone does not: it takes an answer of a worker, and a while on top; or
    /// a long while, where nothing was asked.
    private func hasProvenItself(_ now: Int) -> Bool { now - phaseSince >= (isAnswered ? 5_000 : 30_000) }

    /// The time that `$reconnect` gave is over: to another front, at once.
    mutating func leaveFront(_ actions: inout [ClientAction]) {
        actions.append(.disconnect(code: 1001))
        actions.append(.deliver(.disconnected(closeCode: nil)))
        leaveSocket()
        actions.append(.connect(after: 0))
    }

    /// Back to where everything without an answer is unwritten.
    private mutating func leaveSocket() {
        phase = .connecting
        leaveAt = nil
        unwritten.removeAll(keepingCapacity: true)
        writtenCount = 0
        for ordinal in requests.keys {
            requests[ordinal]?.isWritten = false
            requests[ordinal]?.retryAt = nil
        }
        for ordinal in unsubscriptions.keys { endUnsubscription(ordinal) }
        for (ordinal, subscription) in subscriptions where subscription.token == nil {
            // The next socket subscribes to all topics anyway.
            subscriptions[ordinal] = nil
            for topic in subscription.topics where topics[topic]?.asked == ordinal { topics[topic]?.asked = nil }
        }
        for ordinal in subscriptions.keys {
            subscriptions[ordinal]?.isWritten = false
            subscriptions[ordinal]?.retryAt = nil
            subscriptions[ordinal]?.rewinds = []
        }
    }

    mutating func endUnsubscription(_ ordinal: Int) {
        let left = unsubscriptions.removeValue(forKey: ordinal)?.topics ?? []
        for topic in left where topics[topic]?.isLeaving == true { topics[topic] = nil }
    }

    /// The session is open: first the topics, then what has no answer, in order.
    mutating func ready(_ welcome: Welcome, now: Int) -> [ClientAction] {
        phase = .ready
        phaseSince = now
        isAnswered = false
        self.welcome = welcome
        counters.connections += 1
        var actions: [ClientAction] = [.deliver(.connected(welcome))]
        for ordinal in subscriptions.keys.sorted() { write(subscription: ordinal, &actions) }
        subscribe(own: topics.filter { $0.value.asked == nil }.keys.sorted(), &actions)
        unwritten = requests.keys.sorted()
        flush(now, &actions)
        return actions
    }

    /// What the server would have subscribed us to, were we new: what we do not have we take, from where it says.
    mutating func offered(_ offers: [String: Int]) -> [ClientAction] {
        guard phase == .ready else { return [] }
        var new: [String] = []
        for (topic, seq) in offers where topics[topic] == nil && !declined.contains(topic) {
            topics[topic] = TopicState(cursor: seq)
            new.append(topic)
        }
        var actions: [ClientAction] = []
        subscribe(own: new.sorted(), &actions)
        return actions
    }

    /// Subscribes in the machine's own name.
    private mutating func subscribe(own rest: [String], _ actions: inout [ClientAction]) {
        for start in stride(from: 0, to: rest.count, by: Self.topicsPerSubscription) {
            let part = Array(rest[start..<min(start + Self.topicsPerSubscription, rest.count)])
            let ordinal = takeOrdinal()
            for topic in part { topics[topic]?.asked = ordinal }
            subscriptions[ordinal] = Subscription(token: nil, topics: part, deadline: .max)
            write(subscription: ordinal, &actions)
        }
    }

    /// Close code 1009: the server did not say which message it meant; the largest it is, and that one must not be sent again.
    private mutating func forgetLargest(_ actions: inout [ClientAction]) {
        guard let (ordinal, request) = requests.filter({ $0.value.isWritten }).max(by: { $0.value.body.count < $1.value.body.count })
        else { return }
        forget(ordinal)
        let error = ClientError(.tooLarge, closeCode: 1009, "The server takes no message of this size.")
        actions.append(.complete(token: request.token, .failure(error)))
    }

    private mutating func finish(_ error: ClientError?) -> [ClientAction] {
        phase = .finished
        let cause = error ?? ClientError(.closed, "The client is closed.")
        var actions: [ClientAction] = []
        for ordinal in requests.keys.sorted() {
            if let request = requests[ordinal] { actions.append(.complete(token: request.token, .failure(cause))) }
        }
        for ordinal in subscriptions.keys.sorted() {
            if let token = subscriptions[ordinal]?.token { actions.append(.subscribed(token: token, .failure(cause))) }
        }
        requests = [:]
        subscriptions = [:]
        unwritten = []
        earliest = .max
        leaveAt = nil
        return actions + [.finish(error)]
    }
}
