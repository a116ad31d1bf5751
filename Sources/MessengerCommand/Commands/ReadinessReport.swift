import Glibc
import Logging
import SparqWire
import Synchronization

/// Whether the worker consumes: for the health port, and as a file that exists exactly as long.
final class ReadinessReport: Sendable {
    private let file: String?
    private let logger: Logger
    private let state = Mutex(false)

    /// Not ready; what an earlier process left is removed.
    init(file: String?, logger: Logger) {
        self.file = file
        self.logger = logger
        if let file { unlink(file) }
    }

    /// Whether the worker consumes.
    var isReady: Bool { state.withLock { $0 } }

    /// Takes a change; may be called from any thread.
    func set(_ ready: Bool) {
        // Inside the lock, so that the file follows the changes in their order.
        state.withLock { state in
            guard state != ready else { return }
            state = ready
            logger.info(ready ? "ready" : "not ready", metadata: ["version": "\(SparqVersion.text)"])
            guard let file else { return }
            if ready {
                let descriptor = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)
                if descriptor < 0 {
                    logger.error("cannot write the ready file", metadata: ["file": "\(file)", "errno": "\(errno)"])
                } else {
                    close(descriptor)
                }
            } else {
                unlink(file)
            }
        }
    }
}
