import FoundationEssentials
import NIOCore

/// The two clocks of a front.
enum Clock {
    /// Nanoseconds of a clock that never goes back.
    static func now() -> Int { Int(NIODeadline.now().uptimeNanoseconds) }

    /// Milliseconds since the Unix epoch.
    static func wall() -> Int { Int(Date.now.timeIntervalSince1970 * 1000) }
}
