/// Calls a closure when nobody holds this any more: when the last of those who share some work is through with it, or can never do it, as an event
/// loop that has ended.
final class AtTheEnd: Sendable {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    deinit { body() }
}
