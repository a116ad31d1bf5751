import Testing

@testable import SparqPostgres

@Suite struct PoolStateMachineTests {
    @Test func waitersAreServedInTurn() {
        var pool = PoolStateMachine(capacity: 1, maximumWaiters: 2)
        #expect(pool.acquire(1) == [.open(1, failures: 0)])
        #expect(pool.acquire(2) == [])
        #expect(pool.acquire(3) == [.refuse(3, .tooManyWaiters)])
        #expect(pool.established(1) == [.lease(1, to: 1)])
        #expect(pool.leaseIdle() == nil)
        #expect(pool.release(1, reusable: true) == [.lease(1, to: 2)])
        #expect(pool.release(1, reusable: true) == [])
        #expect(pool.leaseIdle() == 1)
    }

    @Test func ofIdleConnectionsTheOneOfTheHighestRankIsLentAndOfEqualsTheLastOne() {
        var pool = PoolStateMachine(capacity: 3, maximumWaiters: 9)
        _ = pool.acquire(1) + pool.acquire(2) + pool.acquire(3)
        for connection in 1...3 { _ = pool.established(connection) }
        for connection in [2, 1, 3] { #expect(pool.release(connection, reusable: true) == []) }
        #expect(pool.leaseIdle { $0 == 1 ? 1 : 0 } == 1)
        #expect(pool.leaseIdle { _ in 7 } == 3)
        #expect(pool.leaseIdle { $0 == 1 ? 1 : 0 } == 2)
        #expect(pool.leaseIdle { _ in 1 } == nil)
    }

    @Test func afterAFailureOneAttemptAtATime() {
        var pool = PoolStateMachine(capacity: 4, maximumWaiters: 9)
        #expect(pool.acquire(1) + pool.acquire(2) == [.open(1, failures: 0), .open(2, failures: 0)])
        #expect(pool.lost(1) == [])
        #expect(pool.lost(2) == [.open(3, failures: 2)])
        #expect(pool.acquire(3) == [])
        #expect(pool.established(3) == [.lease(3, to: 1), .open(4, failures: 0), .open(5, failures: 0)])
    }

    @Test func whereOneIsFrozenTheIdleOnesAreClosedToo() {
        var pool = PoolStateMachine(capacity: 4, maximumWaiters: 9)
        #expect(pool.start() + pool.acquire(1) + pool.acquire(2) == [.open(1, failures: 0), .open(2, failures: 0)])
        _ = pool.established(1) + pool.established(2) + pool.release(1, reusable: true)
        #expect(pool.froze(2) == [.close(1), .open(3, failures: 0)])
        #expect(pool.leaseIdle() == nil)
    }

    @Test func whereTheOnlyOneFreezesIdleAnotherIsOpened() {
        var pool = PoolStateMachine(capacity: 4, maximumWaiters: 9)
        _ = pool.start() + pool.established(1)
        #expect(pool.froze(1) == [.close(1), .open(2, failures: 0)])
        #expect(pool.ended(1) == [] && pool.established(2) == [] && pool.leaseIdle() == 2)
    }

    /// So that who may take the last of them finds it open.
    @Test func soManyAreKeptAsWereAskedFor() {
        var pool = PoolStateMachine(capacity: 4, kept: 3, maximumWaiters: 9)
        #expect(pool.start() == [.open(1, failures: 0), .open(2, failures: 0), .open(3, failures: 0)])
        for connection in 1...3 { #expect(pool.established(connection) == []) }
        #expect(pool.lost(2) == [.open(4, failures: 0)])
        // Where the server takes no more, one at a time is tried.
        #expect(pool.lost(3) == [.open(5, failures: 0)] && pool.lost(4) == [] && pool.lost(5) == [.open(6, failures: 2)])
        #expect(pool.leaseIdle() == 1 && pool.establishedCount == 1)
    }

    @Test func oneConnectionIsKeptOnceStarted() {
        var pool = PoolStateMachine(capacity: 4, maximumWaiters: 9)
        #expect(pool.start() == [.open(1, failures: 0)])
        #expect(pool.established(1) == [])
        #expect(pool.lost(1) == [.open(2, failures: 0)])
    }

    @Test func anUnfitConnectionIsReplacedForTheNextWaiter() {
        var pool = PoolStateMachine(capacity: 1, maximumWaiters: 9)
        _ = pool.acquire(1) + pool.established(1) + pool.acquire(2)
        #expect(pool.release(1, reusable: false) == [.close(1), .open(2, failures: 0)])
    }

    @Test func drainingServesThoseWhoWaitAndThenEnds() {
        var pool = PoolStateMachine(capacity: 1, maximumWaiters: 9)
        _ = pool.acquire(1) + pool.established(1) + pool.acquire(2)
        #expect(pool.drain() == [])
        #expect(pool.acquire(3) == [.refuse(3, .closed)])
        #expect(pool.release(1, reusable: true) == [.lease(1, to: 2)])
        #expect(pool.release(1, reusable: true) == [.close(1)])
        #expect(pool.ended(1) == [.drained])
        #expect(pool.phase == .closed)
    }

    @Test func closingRefusesThoseWhoWait() {
        var pool = PoolStateMachine(capacity: 1, maximumWaiters: 9)
        _ = pool.acquire(1) + pool.established(1) + pool.acquire(2)
        #expect(pool.closeNow() == [.refuse(2, .closed), .close(1)])
        #expect(pool.release(1, reusable: true) == [])
        #expect(pool.ended(1) == [.drained])
    }

    /// Random events in random order, checked against a plain model of who has what.
    @Test(arguments: 1...200)
    func randomInterleavingsKeepTheBooks(seed: UInt64) {
        var random = Seeded(state: seed)
        let capacity = Int.random(in: 1...5, using: &random)
        var pool = PoolStateMachine(capacity: capacity, maximumWaiters: 8)
        var model = Model()
        model.perform(pool.start())
        for step in 1...400 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...2:
                if Bool.random(using: &random), let id = pool.leaseIdle() {
                    #expect(model.idle.remove(id) != nil && model.waiting.isEmpty)
                    model.leased.insert(id)
                } else {
                    model.waiting.append(step)
                    model.perform(pool.acquire(step))
                }
            case 3:
                guard let waiter = model.waiting.randomElement(using: &random) else { continue }
                model.waiting.removeAll { $0 == waiter }
                pool.abandon(waiter)
            case 4, 5:
                guard let id = model.connecting.sorted().randomElement(using: &random) else { continue }
                model.connecting.remove(id)
                model.idle.insert(id)
                model.perform(pool.established(id))
            case 6:
                guard let id = model.alive.sorted().randomElement(using: &random) else { continue }
                model.drop(id)
                model.perform(pool.lost(id))
            case 7:
                guard let id = model.ending.sorted().randomElement(using: &random) else { continue }
                model.ending.remove(id)
                model.perform(pool.ended(id))
            default:
                guard let id = model.leased.sorted().randomElement(using: &random) else { continue }
                model.leased.remove(id)
                model.idle.insert(id)
                model.perform(pool.release(id, reusable: Int.random(in: 0..<5, using: &random) > 0))
            }
            #expect(pool.slots.count == model.alive.count && pool.slots.count <= capacity)
            #expect(pool.slots.values.count { $0 == .leased } == model.leased.count && pool.idle.count == model.idle.count)
            #expect(pool.waiters.count == model.waiting.count)
            #expect(model.waiting.isEmpty || model.idle.isEmpty, "somebody waits beside an idle connection")
            #expect(model.waiting.isEmpty || !model.connecting.isEmpty || model.leased.count == capacity, "nobody helps the waiter")
            #expect(!model.isDrained)
        }
        model.perform(pool.drain())
        model.perform(pool.closeNow())
        #expect(model.waiting.isEmpty && model.alive.isEmpty)
        for id in model.ending { model.perform(pool.ended(id)) }
        #expect(model.isDrained && pool.phase == .closed)
    }

    private struct Model {
        var connecting: Set<Int> = []
        var idle: Set<Int> = []
        var leased: Set<Int> = []
        var ending: Set<Int> = []
        var waiting: [Int] = []
        var isDrained = false

        var alive: Set<Int> { connecting.union(idle).union(leased) }

        mutating func drop(_ id: Int) {
            connecting.remove(id)
            idle.remove(id)
            leased.remove(id)
            ending.insert(id)
        }

        mutating func perform(_ actions: [PoolStateMachine.Action]) {
            for action in actions {
                switch action {
                case .open(let id, _): connecting.insert(id)
                case .close(let id): drop(id)
                case .lease(let id, let waiter):
                    #expect(waiting.first == waiter, "out of turn")
                    waiting.removeAll { $0 == waiter }
                    idle.remove(id)
                    leased.insert(id)
                case .refuse(let waiter, _): waiting.removeAll { $0 == waiter }
                case .drained: isDrained = true
                }
            }
        }
    }

    /// Random numbers from a seed, so that a failing test can be repeated.
    struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
