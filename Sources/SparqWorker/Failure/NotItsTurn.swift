/// The worker, or the database, had no room for a message: it is tried again later, for as long as it takes, and no attempt is lost to that.
struct NotItsTurn: Error, CustomStringConvertible {
    var reason: String

    var description: String { reason }
}
