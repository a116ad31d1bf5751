import Synchronization

/// Whether a lent connection may still be used.
final class Validity: Sendable {
    private let flag = Atomic(true)

    var isValid: Bool { flag.load(ordering: .acquiring) }

    func end() { flag.store(false, ordering: .releasing) }
}
