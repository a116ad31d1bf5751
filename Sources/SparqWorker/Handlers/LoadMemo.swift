import Synchronization

/// What ``BatchLoader``s have found for some messages of one connection that came together.
///
/// All of these messages were there before the first question was asked, so an answer is as fresh for the last of them as for the first; but
/// for what they change themselves, which ends the memory.
package final class LoadMemo: Sendable {
    private struct State {
        /// By loader: a dictionary of its own key and value types.
        var found: [ObjectIdentifier: any Sendable] = [:]
        /// How often something was changed.
        var changes = 0
    }

    private let state = Mutex(State())

    /// How often something was changed; a question that began before counts no more.
    var changes: Int { state.withLock { $0.changes } }

    package init() {}

    /// The answer of a loader, if it has one; the inner `nil` says that there is no value.
    func value<Key: Hashable & Sendable, Value: Sendable>(of key: Key, from loader: AnyObject) -> Value?? {
        state.withLock { ($0.found[ObjectIdentifier(loader)] as? [Key: Value?])?[key] }
    }

    /// - Parameter changes: What ``changes`` was when it was asked.
    func keep<Key: Hashable & Sendable, Value: Sendable>(_ value: Value?, of key: Key, from loader: AnyObject, since changes: Int) {
        state.withLock { state in
            guard state.changes == changes else { return }
            var known = state.found[ObjectIdentifier(loader)] as? [Key: Value?] ?? [:]
            known[key] = .some(value)
            state.found[ObjectIdentifier(loader)] = known
        }
    }

    /// Something was changed.
    func forget() { state.withLock { $0 = State(changes: $0.changes + 1) } }
}
