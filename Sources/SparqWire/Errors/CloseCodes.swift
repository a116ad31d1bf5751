/// The codes of Sparq's own with which a front closes a socket (docs/PROTOCOL.md, "Close codes"). The others are RFC 6455's.
public enum CloseCodes {
    /// The session ended or was refused: log in again.
    public static let sessionEnded = 4001
    /// A handler ended the connection.
    public static let disconnected = 4003
    /// More than the outbound limit waited for the socket: reconnect and resume.
    public static let slowConsumer = 4008
    /// No pong came in time: reconnect and resume.
    public static let noPong = 4009
}
