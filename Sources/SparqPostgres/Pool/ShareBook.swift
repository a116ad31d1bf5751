import DequeModule

/// A share's bookkeeping: who holds how many of its connections, and who waits. No I/O, no clock.
///
/// An asker (one type of messages, say) may hold its first connection for as long as it takes. What it holds beyond that is lent, and so is the last
/// connection of all: where others wait, it is taken back after ``lending``. Then that asker has one at most for a while, and the last one not at all. So
/// those who wait for a lock leave the others what they need, and nobody has less than before where nothing blocks.
struct ShareBook {
    /// Who asks. What is asked beside a transaction must not wait for it, so it is another asker.
    struct Asker: Hashable {
        var name: String
        var isTransaction: Bool
    }

    struct Grant {
        let id: Int
        let asker: Asker
        let since: ContinuousClock.Instant
        let isLast: Bool
        /// May be taken back.
        var isLent: Bool
    }

    private struct Bar {
        var until: ContinuousClock.Instant
        var length: Duration
    }

    /// For how long a connection is lent where others wait.
    static let lending: Duration = .milliseconds(250)
    /// How long an asker that did not give back in time has one at most: twice as long each time, until it is quick again.
    static let bars: ClosedRange<Duration> = .seconds(1) ... .seconds(16)

    private(set) var grants: [Grant] = []
    private var queues: [Asker: Deque<Int>] = [:]
    private var barred: [Asker: Bar] = [:]
    private var lastID = 0

    /// How many wait, all in all.
    private(set) var waiting = 0
    /// How many transactions wait.
    private(set) var waitingTransactions = 0

    /// A number for a new waiter.
    mutating func nextID() -> Int {
        lastID += 1
        return lastID
    }

    /// A connection for who asks now, if there is one.
    mutating func take(_ asker: Asker, of capacity: Int, now: ContinuousClock.Instant) -> Grant? {
        guard queues[asker] == nil, let isLast = place(for: asker, capacity, now) else { return nil }
        return grant(nextID(), asker, isLast, now)
    }

    /// Waits for a connection.
    mutating func wait(_ id: Int, _ asker: Asker) {
        queues[asker, default: []].append(id)
        waiting += 1
        if asker.isTransaction { waitingTransactions += 1 }
    }

    /// Waits no longer. False for one that does not wait.
    mutating func abandon(_ id: Int, _ asker: Asker) -> Bool {
        guard let place = queues[asker]?.firstIndex(of: id) else { return false }
        queues[asker]?.remove(at: place)
        left(asker)
        return true
    }

    /// Keeps a connection until it is given back. False where it was taken back before.
    mutating func keep(_ id: Int) -> Bool {
        guard let place = grants.firstIndex(where: { $0.id == id }) else { return false }
        grants[place].isLent = false
        return true
    }

    /// Gives a connection back. Harmless where it was given back before.
    mutating func giveBack(_ id: Int, now: ContinuousClock.Instant) {
        guard let place = grants.firstIndex(where: { $0.id == id }) else { return }
        let grant = grants.remove(at: place)
        if !barred.isEmpty, now - grant.since < Self.lending { barred[grant.asker] = nil }
    }

    /// Takes back what was lent for long enough, where others wait; those who had it must stop.
    mutating func takeBack(now: ContinuousClock.Instant) -> [Grant] {
        guard waiting > 0 else { return [] }
        let overdue = grants.filter { grant in
            guard grant.isLent, now - grant.since >= Self.lending else { return false }
            let isFirst = !grants.contains { $0.asker == grant.asker && $0.id != grant.id && ($0.since, $0.id) < (grant.since, grant.id) }
            return (grant.isLast || !isFirst) && someoneElseWaits(grant.asker, now)
        }
        for grant in overdue {
            grants.removeAll { $0.id == grant.id }
            // Of several at once the first counts.
            if let bar = barred[grant.asker], bar.until > now { continue }
            let length = barred[grant.asker].map { min($0.length * 2, Self.bars.upperBound) } ?? Self.bars.lowerBound
            barred[grant.asker] = Bar(until: now + length, length: length)
        }
        return overdue
    }

    /// Those whose turn it is: who holds least first, and of these who has waited longest.
    mutating func serve(of capacity: Int, now: ContinuousClock.Instant) -> [Grant] {
        var served: [Grant] = []
        while waiting > 0 {
            var next: (asker: Asker, id: Int, held: Int, isLast: Bool)?
            for (asker, queue) in queues {
                guard let id = queue.first, let isLast = place(for: asker, capacity, now) else { continue }
                let held = held(asker)
                if let next, (next.held, next.id) < (held, id) { continue }
                next = (asker, id, held, isLast)
            }
            guard let next else { break }
            queues[next.asker]?.removeFirst()
            left(next.asker)
            served.append(grant(next.id, next.asker, next.isLast, now))
        }
        return served
    }

    // MARK: Steps

    private func held(_ asker: Asker) -> Int { grants.count { $0.asker == asker } }

    private func isBarred(_ asker: Asker, _ now: ContinuousClock.Instant) -> Bool { barred[asker].map { $0.until > now } ?? false }

    /// Whether the asker may have a connection, and whether that is the last one; `nil` where it has to wait.
    private func place(for asker: Asker, _ capacity: Int, _ now: ContinuousClock.Instant) -> Bool? {
        let isFirst = held(asker) == 0
        if !isFirst, isBarred(asker, now) { return nil }
        let isLastHeld = grants.contains(where: \.isLast)
        if grants.count - (isLastHeld ? 1 : 0) < max(1, capacity - 1) { return false }
        guard capacity > 1, !isLastHeld, !isBarred(asker, now) else { return nil }
        // Reads go before transactions, which may ask for reads.
        if asker.isTransaction, !isFirst || waiting > waitingTransactions { return nil }
        return true
    }

    private func someoneElseWaits(_ asker: Asker, _ now: ContinuousClock.Instant) -> Bool {
        queues.keys.contains { $0 != asker && (held($0) == 0 || !isBarred($0, now)) }
    }

    private mutating func grant(_ id: Int, _ asker: Asker, _ isLast: Bool, _ now: ContinuousClock.Instant) -> Grant {
        let grant = Grant(id: id, asker: asker, since: now, isLast: isLast, isLent: isLast || held(asker) > 0)
        grants.append(grant)
        return grant
    }

    private mutating func left(_ asker: Asker) {
        waiting -= 1
        if asker.isTransaction { waitingTransactions -= 1 }
        if queues[asker]?.isEmpty == true { queues[asker] = nil }
    }
}
