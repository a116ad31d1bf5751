import Synchronization

/// What ``BatchLoader``s have found for some messages of one connection that came together.
///
/// All of these messages were there before the first question was asked, so an answer is as fresh for the last of them as for the first; but
/// for what they change themselves, which ends the memory.
package final class LoadMemo: Sendable {
    /// By loader: a dictionary of its own key and value types.
    private let found = Mutex<[ObjectIdentifier: any Sendable]>([:])

    package init() {}

    /// The answer of a loader, if it has one; the inner `nil` says that there is no value.
    func value<Key: Hashable & Sendable, Value: Sendable>(of key: Key, from loader: AnyObject) -> Value?? {
        found.withLock { ($0[ObjectIdentifier(loader)] as? [Key: Value?])?[key] }
    }

    func keep<Key: Hashable & Sendable, Value: Sendable>(_ value: Value?, of key: Key, from loader: AnyObject) {
        found.withLock { found in
            var known = found[ObjectIdentifier(loader)] as? [Key: Value?] ?? [:]
            known[key] = .some(value)
            found[ObjectIdentifier(loader)] = known
        }
    }

    /// Something was changed.
    func forget() { found.withLock { $0 = [:] } }
}
