import DequeModule

/// Which types' handlers hold which of the worker's slots, and what waits to begin. A slot is an AMQP message in hand. A value without I/O.
///
/// A type may hold as many slots as its own and the others' handlers leave free: one type half of them, two types a third each. What comes beyond that
/// waits, which takes a slot as well. So where a type is slow its messages wait only while an eighth of the slots is left to others; further ones are
/// turned away. Where slow handlers hold half of the slots, no more of their types begin. A type that stood still, as all do while the database is
/// away, and gets on again, is not slow for a moment: so nobody is turned away who would have had a turn soon.
struct SlotBook {
    typealias Batch = ObjectIdentifier

    enum Answer: Equatable {
        case enters
        case waits
        case turnedAway
    }

    private struct Waiter {
        var id: Int
        var batch: Batch
    }

    private let slots: Int
    /// How many handlers of the type are at work, by batch.
    private var types: [String: [Batch: Int]] = [:]
    /// How many types are at work, by batch.
    private var batches: [Batch: Int] = [:]
    private var waiters: [String: Deque<Waiter>] = [:]
    /// How many wait, by batch.
    private var waiting: [Batch: Int] = [:]
    private var slow: Set<String> = []
    /// With a slow handler.
    private var slowBatches: Set<Batch> = []
    /// How many looks ago a handler of the type last ended, of types at work.
    private var quiet: [String: Int] = [:]
    /// For how many looks more a type that stood still is not slow.
    private var spared: [String: Int] = [:]
    /// Of looks, for both: half a second.
    private static let standstill = 5

    init(slots: Int) { self.slots = max(1, slots) }

    /// How many slots the type's handlers hold.
    func held(by type: String) -> Int { types[type]?.count ?? 0 }

    /// One more handler of a type wants to begin.
    ///
    /// - Parameter id: Names it where it has to wait; with `nil` it does not wait yet.
    mutating func enter(_ type: String, _ batch: Batch, id: Int? = nil) -> Answer {
        if waiters[type] == nil || types[type]?[batch] != nil, begin(type, batch) { return .enters }
        if slow.contains(type), !mayWait(batch) { return .turnedAway }
        if let id {
            waiters[type, default: []].append(Waiter(id: id, batch: batch))
            waiting[batch, default: 0] += 1
        }
        return .waits
    }

    /// Nothing holds a slot or waits for one, and no type is slow.
    var isIdle: Bool { batches.isEmpty && waiters.isEmpty && slow.isEmpty }

    /// A handler that is at work already holds a slot from now on.
    mutating func take(_ type: String, _ batch: Batch) {
        func isFirst(_ count: inout Int) -> Bool {
            count += 1
            return count == 1
        }
        if isFirst(&types[type, default: [:]][batch, default: 0]) { batches[batch, default: 0] += 1 }
    }

    /// A handler has ended, or no longer holds the slot. Returns those that begin now.
    mutating func leave(_ type: String, _ batch: Batch) -> [Int] {
        guard let place = types.index(forKey: type), let count = types.values[place][batch] else { return [] }
        if !quiet.isEmpty, let looks = quiet.removeValue(forKey: type), looks >= Self.standstill {
            spared[type] = Self.standstill
            slow.remove(type)
        }
        if count > 1 {
            types.values[place][batch] = count - 1
            return []
        }
        types.values[place][batch] = nil
        if types.values[place].isEmpty { types.remove(at: place) }
        let left = batches[batch, default: 1] - 1
        batches[batch] = left > 0 ? left : nil
        if left == 0 { slowBatches.remove(batch) }
        return waiters.isEmpty ? [] : serve()
    }

    /// What is slow just now: types with a handler that has been at work for long, and the batches of such handlers.
    ///
    /// - Returns: Those that begin now, and those that are turned away.
    mutating func look(slow: Set<String>, _ batches: Set<Batch>) -> (begin: [Int], turnedAway: [Int]) {
        for type in types.keys { quiet[type, default: 0] += 1 }
        quiet = quiet.filter { types[$0.key] != nil }
        self.slow = slow.filter { spared[$0] == nil }
        spared = spared.compactMapValues { $0 > 1 ? $0 - 1 : nil }
        slowBatches = batches.filter { self.batches[$0] != nil }
        guard !waiters.isEmpty else { return ([], []) }
        let begin = serve()
        var turnedAway: [Int] = []
        for type in self.slow {
            // Those that came last. They are told together with all of their batch, so that it holds no slot.
            while let last = waiters[type]?.last, !mayWait(last.batch) {
                waiters[type]?.removeLast()
                endedWaiting(last.batch, of: type)
                turnedAway.append(last.id)
            }
        }
        return (begin, turnedAway)
    }

    /// The batch is with the broker again: it holds no slot here, and nothing of it begins any more.
    ///
    /// - Returns: Those that begin now, and those of the batch that waited.
    mutating func lose(_ batch: Batch) -> (begin: [Int], turnedAway: [Int]) {
        guard batches[batch] != nil || waiting[batch] != nil else { return ([], []) }
        for type in types.keys {
            types[type]?[batch] = nil
            if types[type]?.isEmpty == true { types[type] = nil }
        }
        batches[batch] = nil
        slowBatches.remove(batch)
        var lost: [Int] = []
        if waiting.removeValue(forKey: batch) != nil {
            for (type, queue) in waiters {
                let left = queue.filter { $0.batch != batch }
                lost += queue.filter { $0.batch == batch }.map(\.id)
                waiters[type] = left.isEmpty ? nil : left
            }
        }
        return (serve(), lost)
    }

    /// Nobody waits any more; returns those that did.
    mutating func close() -> [Int] {
        defer { (waiters, waiting) = ([:], [:]) }
        return waiters.values.flatMap { $0.map(\.id) }
    }

    // MARK: Steps

    /// Whether an eighth of the slots is left to others while a batch waits.
    private func mayWait(_ batch: Batch) -> Bool {
        if batches[batch] != nil { return true }
        let held = batches.count + waiting.keys.count { batches[$0] == nil && $0 != batch }
        return held < slots * 7 / 8
    }

    private mutating func serve() -> [Int] {
        var begun: [Int] = []
        for type in waiters.keys {
            while let first = waiters[type]?.first, begin(type, first.batch) {
                waiters[type]?.removeFirst()
                endedWaiting(first.batch, of: type)
                begun.append(first.id)
            }
        }
        return begun
    }

    /// One of a type and a batch waits no longer.
    private mutating func endedWaiting(_ batch: Batch, of type: String) {
        if waiters[type]?.isEmpty == true { waiters[type] = nil }
        let left = waiting[batch, default: 1] - 1
        waiting[batch] = left > 0 ? left : nil
    }

    private mutating func begin(_ type: String, _ batch: Batch) -> Bool {
        if types[type]?[batch] != nil {
            // Its slot is held already.
            take(type, batch)
            return true
        }
        if slow.contains(type), slowBatches.count >= max(1, slots / 2) { return false }
        guard held(by: type) < max(1, slots - batches.count) else { return false }
        take(type, batch)
        return true
    }
}
