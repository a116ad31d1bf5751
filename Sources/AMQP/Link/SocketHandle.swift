internal import CRabbitMQ
internal import Glibc

/// A second descriptor of a connection's socket, valid whatever the C library does with its own.
///
/// With it, another thread can cut the connection and so free the connection's thread from a write that the broker does not read.
final class SocketHandle: Sendable {
    let descriptor: Int32

    /// nil when the process has no descriptor left.
    init?(duplicating original: Int32) {
        descriptor = fcntl(original, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Ends the TCP connection in both directions, at once. From any thread.
    func cut() {
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Whether the kernel has room for a fair amount of bytes.
    var isWritable: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, 0) > 0
    }
}
