import Foundation

/// A line a second on standard error.
struct Progress {
    private let isShown: Bool
    private var last: Int
    private var lastCount = 0

    init(isShown: Bool, at now: Int) {
        self.isShown = isShown
        last = now
    }

    mutating func show(_ now: Int, count: Int, p50: () -> Double?) {
        guard isShown, now - last >= 1_000_000_000 else { return }
        let rate = Double(count - lastCount) * 1e9 / Double(now - last)
        let median = p50().map { ", p50 \(Int($0)) µs" } ?? ""
        FileHandle.standardError.write(Data("  \(count == 0 ? "warming up" : "\(Int(rate))/s\(median)")\n".utf8))
        last = now
        lastCount = count
    }
}
