import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The two clocks of a front.
enum Clock {
    /// Nanoseconds of a clock that never goes back.
    static func now() -> Int { Int(NIODeadline.now().uptimeNanoseconds) }

    /// Milliseconds since the Unix epoch.
    static func wall() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
