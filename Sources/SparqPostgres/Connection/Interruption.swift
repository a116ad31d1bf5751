/// Why a connection's thread stopped waiting; after any of them the connection is given up.
enum Interruption: Error {
    /// The network or the server.
    case lost(PostgresError)
    /// The task that wanted the answer was cancelled.
    case cancelled
    /// The pool closes the connection.
    case closed
}
