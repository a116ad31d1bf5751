import CPostgreSQL

/// Wakes a thread that waits in `poll`.
final class WakeUp: Sendable {
    private let handle: cpg_wakeup

    init() throws(PostgresError) {
        var handle = cpg_wakeup()
        guard cpg_wakeup_open(&handle) == 0 else {
            throw PostgresError(.connectionFailed, "no file descriptor left for a connection's wake-up")
        }
        self.handle = handle
    }

    deinit { cpg_wakeup_close(handle) }

    var descriptor: Int32 { handle.read_end }

    func signal() { cpg_wakeup_signal(handle) }

    func drain() { cpg_wakeup_drain(handle) }
}
