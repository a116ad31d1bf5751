import Foundation
import Glibc

/// What all cores of the machine did not do so far, nanoseconds (`/proc/stat`).
struct MachineTimes {
    /// Nothing was to be done.
    var idle = 0
    /// Nothing was to be done until a disk answered.
    var diskWait = 0

    init() {
        guard let data = FileManager.default.contents(atPath: "/proc/stat") else { return }
        let line = String(decoding: data.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        let ticks = line.split(separator: " ").dropFirst().compactMap { Int($0) }
        guard ticks.count > 4 else { return }
        let tick = 1_000_000_000 / Int(sysconf(Int32(_SC_CLK_TCK)))
        idle = ticks[3] * tick
        diskWait = ticks[4] * tick
    }
}
