/// A handler failed for a reason that will pass, such as a service that is down: the message is tried again later, with growing delay.
///
/// After the last attempt the message goes to the dead letters, and its sender gets the error `internal`.
/// While a message waits, later ones of its connection go on, those that are in other batches too: use it where their order does not
/// matter. Its reply comes when it is finished, or `unavailable` when the front's reply deadline is over before that.
/// Trouble with the worker's own database needs none of this: the worker itself waits for it.
public struct TransientFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Why, for the log and the dead letters. Not shown to clients.
    public var reason: String

    /// A failure that will pass.
    public init(_ reason: String) { self.reason = reason }

    /// The reason.
    public var description: String { reason }
}

/// The worker, or the database, had no room for a message: it is tried again later, for as long as it takes, and no attempt is lost to that.
struct NotItsTurn: Error, CustomStringConvertible {
    var reason: String

    var description: String { reason }
}
