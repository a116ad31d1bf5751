internal import CRabbitMQ
internal import Glibc
internal import Synchronization

/// Wakes the connection's thread out of `poll()`. Many signals before it wakes cost one system call.
final class Wakeup: Sendable {
    private let opened: Atomic<Int32>
    private let isSignalled = Atomic(false)
    /// The thread that looks by itself before it waits; 0 while there is none.
    private let owner = Atomic<UInt>(0)

    init() { opened = Atomic(crabbitmq_eventfd()) }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// -1 while the process has no descriptor for it.
    var descriptor: Int32 { opened.load(ordering: .acquiring) }

    /// Tries again to get a descriptor, where there is none yet. Before the thread starts.
    func open() throws(AMQPError) {
        guard descriptor < 0 else { return }
        let fresh = crabbitmq_eventfd()
        guard fresh >= 0 else { throw SystemError.error(errno, otherwise: .outOfResources, "eventfd", operation: "starting") }
        opened.store(fresh, ordering: .releasing)
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
