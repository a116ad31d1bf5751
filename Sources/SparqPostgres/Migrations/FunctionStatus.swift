/// Where one function's file stands in a database.
public struct FunctionStatus: Sendable, Hashable {
    /// What can be said of a function's file.
    public enum State: String, Sendable, Hashable {
        /// The database has its text.
        case applied
        /// The database has an older text, or none.
        case pending
        /// Recorded with this text, but the function is no longer in the database.
        case gone
        /// Recorded with another text, or not among the files, under the same revision.
        case edited
        /// A newer version has made the database's functions.
        case newer
    }

    /// The function's name.
    public let name: String
    /// Where its file stands.
    public let state: State
}
