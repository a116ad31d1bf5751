internal import CRabbitMQ
internal import Glibc
internal import Synchronization

/// Wakes the connection's thread out of `poll()`. Many signals before it wakes cost one system call.
final class Wakeup: Sendable {
    /// -1 when the process had no descriptor left; the engine then refuses to start.
    let descriptor: Int32
    private let isSignalled = Atomic(false)
    /// The thread that looks by itself before it waits; 0 while there is none.
    private let owner = Atomic<UInt>(0)

    init() { descriptor = crabbitmq_eventfd() }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Call after what the thread shall see has been stored. From any thread.
    func signal() {
        guard !isSignalled.exchange(true, ordering: .sequentiallyConsistent) else { return }
        guard owner.load(ordering: .relaxed) != Self.currentThread else { return }
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Call before looking at what was stored.
    func rearm() { isSignalled.store(false, ordering: .sequentiallyConsistent) }

    /// The calling thread will look at ``isPending`` each time before it waits: its own signals cost no system call.
    func claim() { owner.store(Self.currentThread, ordering: .relaxed) }

    /// Ends ``claim()``. What was signalled must be looked at after this.
    func release() {
        owner.store(0, ordering: .relaxed)
        rearm()
    }

    /// Somebody signalled since ``rearm()``.
    var isPending: Bool { isSignalled.load(ordering: .sequentiallyConsistent) }

    private static var currentThread: UInt { UInt(pthread_self()) }

    /// Call when `poll()` reports the descriptor as readable.
    func drain() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
