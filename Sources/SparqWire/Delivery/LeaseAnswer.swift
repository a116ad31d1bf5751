/// What a worker says to the renewal of a node's lease.
public enum LeaseAnswer: String, Equatable, Sendable, Codable {
    /// Renewed; the directory holds what the node said.
    case renewed
    /// Renewed, but the directory was not what the node said: it must send a ``SyncRequest`` for all of its topics.
    case resync
}
