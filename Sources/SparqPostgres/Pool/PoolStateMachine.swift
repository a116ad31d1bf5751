import DequeModule

/// A pool's bookkeeping: who holds which connection, who waits, and when to open another. No I/O, no clock.
///
/// A connection goes connecting → idle ⇄ leased → closing → gone; it can break (be gone) from any of them. Waiters are served
/// in the order they came. After a failed attempt only one connection at a time is tried, with backoff, until one succeeds.
struct PoolStateMachine {
    typealias ConnectionID = Int
    typealias WaiterID = Int

    enum Phase: Hashable { case running, draining, closed }

    enum Slot: Hashable { case connecting, idle, leased }

    enum Refusal: Hashable { case tooManyWaiters, closed }

    enum Action: Hashable {
        /// Start to connect, after the backoff for so many failures.
        case open(ConnectionID, failures: Int)
        case close(ConnectionID)
        case lease(ConnectionID, to: WaiterID)
        case refuse(WaiterID, Refusal)
        /// The shutdown is done: nothing is left.
        case drained
    }

    let capacity: Int
    /// How many are kept from the start on.
    let kept: Int
    let maximumWaiters: Int
    private(set) var phase = Phase.running
    /// Attempts to connect that failed since one succeeded.
    private(set) var failures = 0
    private var minimum = 0
    private(set) var slots: [ConnectionID: Slot] = [:]
    /// The last one released is the first to be used again: its caches are warm.
    private(set) var idle: [ConnectionID] = []
    private var closing: Set<ConnectionID> = []
    private(set) var waiters: Deque<WaiterID> = []
    private var lastConnection = 0

    init(capacity: Int, kept: Int = 1, maximumWaiters: Int) {
        self.capacity = max(1, capacity)
        self.kept = min(max(1, kept), self.capacity)
        self.maximumWaiters = maximumWaiters
    }

    var connectingCount: Int { count(.connecting) }
    var establishedCount: Int { slots.count - connectingCount }

    private func count(_ wanted: Slot) -> Int { slots.values.reduce(0) { $1 == wanted ? $0 + 1 : $0 } }

    /// From now on some connections are kept, wanted or not, one at least, so that the database's state is known.
    mutating func start() -> [Action] {
        guard phase == .running else { return [] }
        minimum = kept
        return openIfNeeded()
    }

    /// An idle connection, where there is one: the quick way in. Of several one of the highest rank; of these the one that was released last.
    mutating func leaseIdle(rank: (ConnectionID) -> Int = { _ in 0 }) -> ConnectionID? {
        guard phase == .running, let place = idle.indices.reversed().max(by: { rank(idle[$0]) < rank(idle[$1]) }) else { return nil }
        let connection = idle.remove(at: place)
        slots[connection] = .leased
        return connection
    }

    /// Somebody wants a connection.
    mutating func acquire(_ waiter: WaiterID) -> [Action] {
        guard phase == .running else { return [.refuse(waiter, .closed)] }
        if let connection = leaseIdle() { return [.lease(connection, to: waiter)] }
        guard waiters.count < maximumWaiters else { return [.refuse(waiter, .tooManyWaiters)] }
        waiters.append(waiter)
        return openIfNeeded()
    }

    /// A waiter gave up. Harmless for one that was served.
    mutating func abandon(_ waiter: WaiterID) {
        if let index = waiters.firstIndex(of: waiter) { waiters.remove(at: index) }
    }

    /// A lease ends; `reusable` says whether the connection is fit for the next. Harmless for one that broke meanwhile.
    mutating func release(_ connection: ConnectionID, reusable: Bool) -> [Action] {
        guard slots[connection] == .leased else { return [] }
        return reusable ? offer(connection) : close(connection) + openIfNeeded()
    }

    mutating func established(_ connection: ConnectionID) -> [Action] {
        guard slots[connection] == .connecting else { return [] }
        failures = 0
        return offer(connection) + openIfNeeded()
    }

    /// A connection froze. Those that nobody uses are closed too: whatever froze it may have frozen them.
    mutating func froze(_ connection: ConnectionID) -> [Action] { closeAll(.idle) + lost(connection) + openIfNeeded() }

    /// An attempt failed, or an established connection broke.
    mutating func lost(_ connection: ConnectionID) -> [Action] {
        guard let slot = slots.removeValue(forKey: connection) else { return [] }
        closing.insert(connection)
        switch slot {
        case .connecting: failures += 1
        case .idle: idle.removeAll { $0 == connection }
        case .leased: break
        }
        return openIfNeeded()
    }

    /// The connection's thread has ended.
    mutating func ended(_ connection: ConnectionID) -> [Action] {
        let actions = slots[connection] == nil ? [] : lost(connection)
        closing.remove(connection)
        return actions + finishIfDrained()
    }

    /// No new leases; those who wait are still served.
    mutating func drain() -> [Action] {
        guard phase == .running else { return [] }
        phase = .draining
        minimum = 0
        var actions: [Action] = []
        for connection in idle { actions += close(connection) }
        if waiters.isEmpty { actions += closeAll(.connecting) }
        return actions + finishIfDrained()
    }

    /// The end, whoever still waits or works.
    mutating func closeNow() -> [Action] {
        guard phase != .closed else { return [] }
        phase = .closed
        minimum = 0
        var actions: [Action] = waiters.map { .refuse($0, .closed) }
        waiters = []
        for slot in [Slot.connecting, .idle, .leased] { actions += closeAll(slot) }
        return actions + finishIfDrained()
    }

    // MARK: Steps

    private mutating func offer(_ connection: ConnectionID) -> [Action] {
        if let waiter = waiters.popFirst() {
            slots[connection] = .leased
            return [.lease(connection, to: waiter)]
        }
        guard phase == .running else { return close(connection) + closeAll(.connecting) }
        slots[connection] = .idle
        idle.append(connection)
        return []
    }

    private mutating func close(_ connection: ConnectionID) -> [Action] {
        slots[connection] = nil
        idle.removeAll { $0 == connection }
        closing.insert(connection)
        return [.close(connection)]
    }

    private mutating func closeAll(_ slot: Slot) -> [Action] {
        var actions: [Action] = []
        for connection in slots.filter({ $0.value == slot }).keys.sorted() { actions += close(connection) }
        return actions
    }

    private mutating func openIfNeeded() -> [Action] {
        guard phase != .closed else { return [] }
        let connecting = connectingCount
        var wanted = max(minimum - slots.count, waiters.count - connecting)
        wanted = min(wanted, capacity - slots.count)
        if failures > 0 { wanted = min(wanted, 1 - connecting) }
        var actions: [Action] = []
        for _ in 0..<max(0, wanted) {
            lastConnection += 1
            slots[lastConnection] = .connecting
            actions.append(.open(lastConnection, failures: failures))
        }
        return actions
    }

    private mutating func finishIfDrained() -> [Action] {
        guard phase != .running, slots.isEmpty, closing.isEmpty, waiters.isEmpty else { return [] }
        phase = .closed
        return [.drained]
    }
}
