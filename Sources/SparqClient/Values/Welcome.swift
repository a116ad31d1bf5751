internal import SparqWire

/// The first word of every socket: who the server takes the client for, and what it may do.
public struct Welcome: Equatable, Sendable {
    /// The connection's id, unique in the cluster.
    public let connection: String
    /// Who the client is; `nil` for nobody.
    public let user: String?
    /// The front's id.
    public let node: String
    /// The server pings this often, in milliseconds.
    public let heartbeatMilliseconds: Int
    /// The longest message, in bytes.
    public let messageBytes: Int
    /// How many messages may be unanswered before the server stops reading.
    public let inFlight: Int
}

extension Welcome {
    init(_ frame: WelcomeFrame) {
        self.init(
            connection: frame.connection,
            user: frame.user,
            node: frame.node,
            heartbeatMilliseconds: frame.heartbeatMilliseconds,
            messageBytes: frame.limits.messageBytes,
            inFlight: max(1, frame.limits.inFlight)
        )
    }
}
