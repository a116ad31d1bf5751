/// Reads what clients wrote down and what the database holds, and counts what does not fit the promise. Pure.
struct Checker {
    private let database: DatabaseContents
    /// Where each token stands in each topic's log.
    private let places: [String: [String: [Int]]]
    private let tokens: [String: [Int: String]]
    var verdict = Verdict()

    /// - Parameter isOrderly: clients may see nothing but the reconnect.
    static func check(_ journals: [ClientJournal], against database: DatabaseContents, isOrderly: Bool = false) -> Verdict {
        var checker = Checker(database)
        checker.verdict.isOrderly = isOrderly
        checker.checkLog()
        for journal in journals {
            checker.checkMessages(journal)
            checker.checkSurroundings(journal)
            checker.checkDeliveries(journal)
        }
        return checker.verdict
    }

    private init(_ database: DatabaseContents) {
        self.database = database
        var places: [String: [String: [Int]]] = [:]
        var tokens: [String: [Int: String]] = [:]
        for (topic, log) in database.log {
            for event in log {
                guard let token = event.token else { continue }
                places[token, default: [:]][topic, default: []].append(event.seq)
                tokens[topic, default: [:]][event.seq] = token
            }
        }
        self.places = places
        self.tokens = tokens
    }

    private mutating func checkLog() {
        for (topic, head) in database.heads.sorted(by: { $0.key < $1.key }) {
            let seqs = Set((database.log[topic] ?? []).map(\.seq))
            let missing = head > 0 ? (1...head).filter { !seqs.contains($0) } : []
            verdict.note(.logGap, count: missing.count, "\(topic) has no \(missing.prefix(5))")
            let beyond = seqs.filter { $0 > head || $0 < 1 }
            verdict.note(.logGap, count: beyond.count, "\(topic) ends with \(head) but has \(beyond.prefix(5))")
        }
        for topic in database.log.keys where database.heads[topic] == nil {
            verdict.note(.logGap, "\(topic) has a log but no head")
        }
    }

    // MARK: Messages

    private mutating func checkMessages(_ journal: ClientJournal) {
        var last: [Int: [String: (seq: Int, token: String)]] = [:]
        for message in journal.sent {
            verdict.sent += 1
            let found = places[message.token] ?? [:]
            let effects = message.topics.map { found[$0]?.count ?? 0 }
            let elsewhere = found.keys.filter { !message.topics.contains($0) }
            if effects.contains(where: { $0 > 1 }) || !elsewhere.isEmpty {
                verdict.note(.duplicateEffect, "\(message.token) at \(found)")
            }
            let some = effects.contains { $0 > 0 }
            let all = effects.allSatisfy { $0 > 0 }
            switch message.outcome {
            case .accepted:
                verdict.accepted += 1
                if !some { verdict.note(.lostMessage, "\(message.token), accepted") }
            case .abandoned: verdict.abandoned += 1
            case .unanswered: verdict.note(.unanswered, "\(message.token), \(some ? "in" : "not in") the log")
            case .refused(let code):
                verdict.note(.refused, "\(message.token): \(code)")
                if some { verdict.note(.refusedWithEffect, "\(message.token): \(code)") }
            }
            if some && !all { verdict.note(.tornMessage, "\(message.token) at \(found)") }
            guard message.outcome == .accepted else { continue }
            for topic in message.topics {
                guard let seq = found[topic]?.first else { continue }
                if let before = last[message.lane]?[topic], before.seq > seq {
                    verdict.note(.senderOrder, "\(topic): \(message.token) is \(seq), and \(before.token) before it \(before.seq)")
                }
                last[message.lane, default: [:]][topic] = (seq, message.token)
            }
        }
    }

    // MARK: Deliveries

    private mutating func checkDeliveries(_ journal: ClientJournal) {
        if journal.isHasty {
            verdict.overlaps += journal.repeated
        } else {
            verdict.note(.duplicateDelivery, count: journal.repeated, "\(journal.client) dropped \(journal.repeated) that it had")
        }
        verdict.note(.inversion, count: journal.inverted, "\(journal.client) dropped \(journal.inverted) that came behind later ones")
        for event in journal.uninvited { verdict.note(.uninvited, "\(journal.client) got \(event)") }
        for topic in Set(journal.seen.keys).union(journal.subscribedAt.keys).sorted() {
            verdict.subscriptions += 1
            let seen = journal.seen[topic] ?? []
            verdict.deliveries += seen.count
            checkTopic(topic, seen, from: journal.subscribedAt[topic], of: journal.client)
        }
    }

    private mutating func checkTopic(_ topic: String, _ seen: [SeenEvent], from start: Int?, of client: String) {
        var had: Set<Int> = []
        var highest: Int?
        for event in seen {
            if !had.insert(event.seq).inserted {
                verdict.note(.duplicateDelivery, "\(client) got \(topic) \(event.seq) twice")
            } else if let highest, event.seq < highest {
                verdict.note(.inversion, "\(client) got \(topic) \(event.seq) after \(highest)")
            }
            highest = max(highest ?? event.seq, event.seq)
            if event.token != tokens[topic]?[event.seq] {
                verdict.note(.wrongContent, "\(client) got \(topic) \(event.seq) as \(event.token ?? "no message")")
            }
        }
        // Something may come before the subscription's answer, where the server subscribed by itself.
        guard let first = [start.map { $0 + 1 }, had.min()].compactMap({ $0 }).min() else { return }
        let head = database.heads[topic] ?? 0
        let end = highest ?? (first - 1)
        let missing = first <= end ? (first...end).filter { !had.contains($0) } : []
        verdict.note(.gap, count: missing.count, "\(client) has no \(topic) \(missing.prefix(5))")
        verdict.note(.lostDelivery, count: max(0, head - end), "\(client) has \(topic) up to \(end) of \(head)")
    }
}
