import CEpoll
import Glibc

/// One epoll descriptor. The generator stands on bare epoll, because it shares the cores with what it measures.
final class Poller {
    private let descriptor: Int32
    private var events: [epoll_event]

    init() throws {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw BenchError("epoll_create1: errno \(errno)") }
        events = Array(repeating: epoll_event(), count: 1024)
    }

    deinit { close(descriptor) }

    /// Watches a descriptor for input, and for room too where asked; `token` comes back from ``wait(nanoseconds:_:)``.
    func add(_ fd: Int32, token: Int, output: Bool = false) throws {
        var event = Self.event(token, output)
        guard epoll_ctl(descriptor, EPOLL_CTL_ADD, fd, &event) == 0 else { throw BenchError("epoll_ctl: errno \(errno)") }
    }

    /// Changes what a descriptor is watched for.
    func change(_ fd: Int32, token: Int, output: Bool) {
        var event = Self.event(token, output)
        _ = epoll_ctl(descriptor, EPOLL_CTL_MOD, fd, &event)
    }

    /// Watches a descriptor no more.
    func forget(_ fd: Int32) { _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, fd, nil) }

    /// Waits for at most so long, and calls `body` for each descriptor that is ready.
    func wait(nanoseconds: Int, _ body: (_ token: Int, _ readable: Bool, _ writable: Bool) throws -> Void) throws {
        let wait = max(0, nanoseconds)
        var limit = timespec(tv_sec: wait / 1_000_000_000, tv_nsec: wait % 1_000_000_000)
        let count = epoll_pwait2(descriptor, &events, Int32(events.count), &limit, nil)
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            let flags = events[index].events
            let readable = flags & (EPOLLIN.rawValue | EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
            try body(Int(events[index].data.u64), readable, flags & EPOLLOUT.rawValue != 0)
        }
    }

    private static func event(_ token: Int, _ output: Bool) -> epoll_event {
        epoll_event(
            events: EPOLLIN.rawValue | (output ? EPOLLOUT.rawValue : 0),
            data: epoll_data_t(u64: UInt64(token))
        )
    }
}
