import Synchronization

/// What was confirmed and what was consumed.
final class Journal: Sendable {
    private struct Contents {
        var confirmed = Set<Int>()
        var consumed = Set<Int>()
        var isOver = false
    }
    private let contents = Mutex(Contents())

    var confirmedCount: Int { contents.withLock { $0.confirmed.count } }
    var isComplete: Bool { contents.withLock { $0.confirmed.isSubset(of: $0.consumed) } }
    var isOver: Bool { contents.withLock { $0.isOver } }

    func confirm(_ number: Int) { contents.withLock { _ = $0.confirmed.insert(number) } }
    func consume(_ number: Int) { contents.withLock { _ = $0.consumed.insert(number) } }
    func finish() { contents.withLock { $0.isOver = true } }
}
