import NIOConcurrencyHelpers
import NIOCore
import SparqFrontCore
import SparqWire

/// All shards, one for each event loop. Thread-safe: every call hops to the loops that it concerns.
final class Hub: Sendable {
    private struct Place: Sendable {
        let loop: any EventLoop
        let shard: NIOLoopBound<Shard>
        let sweep: RepeatedTask
    }

    private let places: [Place]
    private let nextPlace: SharedCounter

    /// One shard for each loop of the group.
    /// - Parameter unanswered: told of what has no answer, on any of the loops.
    init(
        on group: any EventLoopGroup,
        settings: ConnectionSettings,
        forwarder: any Forwarding,
        inbox: NodeInbox,
        unanswered: @escaping @Sendable (UnansweredBatch) -> Void = { _ in }
    ) async throws {
        var places: [Place] = []
        for (index, loop) in group.makeIterator().enumerated() {
            let place = loop.submit {
                let shard = Shard(
                    index: index,
                    settings: settings,
                    forwarder: forwarder,
                    environment: ShardEnvironment(
                        now: Clock.now,
                        wallClock: Clock.wall,
                        later: { closure in loop.assumeIsolated().execute(closure) },
                        tell: { inbox.add($0) },
                        unanswered: unanswered
                    )
                )
                let bound = NIOLoopBound(shard, eventLoop: loop)
                let interval = TimeAmount.nanoseconds(Int64(settings.sweepInterval))
                let sweep = loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in bound.value.sweep() }
                return Place(loop: loop, shard: bound, sweep: sweep)
            }
            places.append(try await place.get())
        }
        self.places = places
        nextPlace = SharedCounter()
    }

    var shardCount: Int { places.count }

    /// The shard of the event loop that this is called on.
    func shard(on loop: any EventLoop) -> Shard? { places.first { $0.loop === loop }?.shard.value }

    /// Carries out commands, a list for each shard; one hop for each shard that has any. When all are through with theirs, `then` is called once,
    /// on some thread; at once where there are none.
    func apply(_ commands: [[ShardCommand]], then: @escaping @Sendable () -> Void = {}) {
        let end = OnRelease(then)
        for (place, commands) in zip(places, commands) where !commands.isEmpty {
            place.loop.execute { withExtendedLifetime(end) { place.shard.value.apply(commands) } }
        }
    }

    /// No queue has these messages.
    func undelivered(_ members: [Batch.Member]) { undelivered(members, .unavailable) }

    /// The broker takes no messages as large as these.
    func refused(_ members: [Batch.Member]) { undelivered(members, .tooLarge) }

    private func undelivered(_ members: [Batch.Member], _ code: ErrorCode) {
        var commands: [[ShardCommand]] = Array(repeating: [], count: places.count)
        for (connection, members) in Dictionary(grouping: members, by: \.connection) where connection.shard < places.count {
            commands[connection.shard].append(.undelivered(connection, ordinals: members.map(\.ordinal), code))
        }
        apply(commands)
    }

    /// The forwarder has room again.
    func relieved() {
        for place in places { place.loop.execute { place.shard.value.relieved() } }
    }

    /// Whether workers answer has changed. Each shard looks for itself: of two changes the last one counts, whoever tells it first.
    func lookWhetherServed(_ isServed: @escaping @Sendable () -> Bool) {
        for place in places { place.loop.execute { place.shard.value.setServed(isServed()) } }
    }

    /// What is on its way and whose answers may be lost is sent again.
    func sendAgain() {
        for place in places { place.loop.execute { place.shard.value.sendAgain() } }
    }

    /// Closes all sockets: their clients come again, at another front.
    func sendAway() {
        for place in places { place.loop.execute { place.shard.value.sendAway() } }
    }

    /// Forwards one HTTP request's message, and returns what became of it; within the reply deadline.
    func request(_ message: HTTPMessage) async -> HTTPAnswer {
        let place = places[nextPlace.next() % places.count]
        return await withCheckedContinuation { continuation in
            place.loop.execute { place.shard.value.request(message) { continuation.resume(returning: $0) } }
        }
    }

    /// Moves all clients away within a window, and returns when nothing is open and all that was on its way is finished.
    func drain(window: Int) async throws {
        for place in places { place.loop.execute { place.shard.value.startDraining(window: window) } }
        for place in places {
            while try await !place.loop.submit({ place.shard.value.isEmpty }).get() { try await Task.sleep(for: .milliseconds(20)) }
        }
    }

    /// The sum over all shards.
    func counters() async throws -> ShardCounters {
        var sum = ShardCounters()
        for place in places { sum = sum + (try await place.loop.submit { place.shard.value.counters }.get()) }
        return sum
    }

    /// Ends the timers.
    func stop() {
        for place in places { place.sweep.cancel() }
    }
}

/// Calls a closure when nobody holds this any more: when the last of those who share some work is through with it, or can never do it, as an event
/// loop that has ended.
final class OnRelease: Sendable {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    deinit { body() }
}

/// Counts up, from any thread.
final class SharedCounter: Sendable {
    private let value = NIOLockedValueBox(0)

    func next() -> Int {
        value.withLockedValue { value in
            value &+= 1
            return value & Int.max
        }
    }
}
