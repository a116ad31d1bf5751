import Glibc
import ServiceLifecycle
import UnixSignals

/// The first SIGTERM or SIGINT drains (the service group sees to that); a second one ends the process at once.
///
/// Stands first in the group, so that it is shut down last and listens all the while.
struct SecondSignal: Service {
    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        await cancelWhenGracefulShutdown {
            var count = 0
            for await _ in signals {
                count += 1
                // 128 + SIGTERM: what a shell reports of a process that the signal ended.
                if count > 1 { _exit(143) }
            }
        }
    }
}
