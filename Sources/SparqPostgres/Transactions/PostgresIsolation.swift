/// How much a transaction sees of others
/// ([Transaction Isolation](https://www.postgresql.org/docs/15/transaction-iso.html)).
public enum PostgresIsolation: Sendable, Hashable {
    /// Each statement sees what was committed before it began.
    case readCommitted
    /// All statements see what was committed before the first. Writes can fail with 40001.
    case repeatableRead
    /// As if transactions ran one after the other. Everything can fail with 40001.
    case serializable

    var begin: String {
        switch self {
        case .readCommitted: "BEGIN ISOLATION LEVEL READ COMMITTED"
        case .repeatableRead: "BEGIN ISOLATION LEVEL REPEATABLE READ"
        case .serializable: "BEGIN ISOLATION LEVEL SERIALIZABLE"
        }
    }
}
