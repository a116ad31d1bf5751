internal import CRabbitMQ
internal import Glibc

/// A second descriptor of a connection's socket, valid whatever the C library does with its own.
///
/// With it, another thread can cut the connection and so free the connection's thread from a write that the broker does not read.
final class SocketHandle: Sendable {
    let descriptor: Int32

    /// Fails where the process has no descriptor left.
    init(duplicating original: Int32) throws(AMQPError) {
        let descriptor = fcntl(original, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else {
            throw SystemError.error(errno, otherwise: .outOfResources, "a second descriptor", operation: "connecting")
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Ends the TCP connection in both directions, at once. From any thread.
    func cut() {
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// How long nothing has arrived, by the kernel's account: it counts while the connection's thread is busy, too. To about a millisecond.
    var silence: Duration {
        let milliseconds = crabbitmq_silence(descriptor)
        // Where the kernel says nothing the connection is broken, which the next read finds out.
        return milliseconds < 0 ? .zero : .milliseconds(milliseconds)
    }

    /// Lets the kernel ask after a connection that is idle for so long: this ends what heartbeats do not see.
    func setKeepalive(_ interval: Duration) {
        crabbitmq_keepalive(descriptor, Int32(clamping: max(1, interval.components.seconds)))
    }

    /// Lets the kernel give up what the peer does not acknowledge, or has no room for, for so long: this ends writes that are stuck.
    /// nil is the system's own limit, of many minutes, and none for a peer that answers and has no room.
    func setWriteLimit(_ limit: Duration?) {
        crabbitmq_user_timeout(descriptor, limit.map { UInt32(clamping: $0.milliseconds) } ?? 0)
    }

    /// Whether the kernel has room for a fair amount of bytes.
    var isWritable: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, 0) > 0
    }
}
