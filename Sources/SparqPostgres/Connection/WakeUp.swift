import CPostgreSQL
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Wakes a thread that waits in `poll`.
final class WakeUp: Sendable {
    private let handle: cpg_wakeup
    /// The thread that is to be woken; 0 before it has begun.
    private let owner = Atomic<UInt>(0)

    init() throws(PostgresError) {
        var handle = cpg_wakeup()
        guard cpg_wakeup_open(&handle) == 0 else { throw DescriptorReserve.error }
        guard !DescriptorReserve.contains(handle.read_end) else {
            cpg_wakeup_close(handle)
            throw DescriptorReserve.error
        }
        self.handle = handle
    }

    deinit { cpg_wakeup_close(handle) }

    var descriptor: Int32 { handle.read_end }

    /// The calling thread is the one that waits. It looks at what its own steps left before it waits again: they need no signal.
    func claim() { owner.store(Self.currentThread, ordering: .relaxed) }

    var isOwnThread: Bool { owner.load(ordering: .relaxed) == Self.currentThread }

    func signal() { if !isOwnThread { cpg_wakeup_signal(handle) } }

    func drain() { cpg_wakeup_drain(handle) }

    private static var currentThread: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: pthread_self())
        #else
            UInt(pthread_self())
        #endif
    }
}

/// The process's last descriptors are not for us. libdispatch needs one every second, to look into `/proc`, and ends the process where it gets none.
enum DescriptorReserve {
    /// More than there are threads that may each have taken one and not looked at it yet.
    private static let count: Int32 = 16
    static let error = PostgresError(.connectionFailed, "the process has no file descriptor to spare")

    static func contains(_ descriptor: Int32) -> Bool { cpg_is_among_last(descriptor, count) != 0 }
}
