/// The end of the answer to a brief ``SyncRequest``: its topics are in the directory, and where the node was is the end of their logs, but for those
/// that are named. For these there is a ``Page`` each.
public struct Synced: Equatable, Sendable {
    /// The version of the request.
    public var version: Int
    /// Topics of which a page tells.
    public var behind: [String]

    /// An answer of its parts.
    public init(version: Int, behind: [String]) {
        self.version = version
        self.behind = behind
    }
}
