import NIOConcurrencyHelpers

/// Counts up, from any thread.
final class SharedCounter: Sendable {
    private let value = NIOLockedValueBox(0)

    func next() -> Int {
        value.withLockedValue { value in
            value &+= 1
            return value & Int.max
        }
    }
}
