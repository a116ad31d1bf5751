/// A message is finished, with a reply or without.
public struct Done: Equatable, Sendable {
    /// What a reply does to the session of who asked: logging in and out.
    public enum SessionChange: Equatable, Sendable {
        /// From now on the client is this user.
        case begin(user: String)
        /// From now on the client is nobody.
        case end
    }

    /// The connection that the message came from.
    public var connection: String
    /// The message's count on that connection.
    public var ordinal: Int
    /// The JSON text of the reply, where there is one.
    public var reply: ArraySlice<UInt8>?
    /// Only replies to HTTP requests carry a change into effect: the front sets or removes the cookie.
    public var session: SessionChange?

    /// Of its parts.
    public init(connection: String, ordinal: Int, reply: ArraySlice<UInt8>? = nil, session: SessionChange? = nil) {
        self.connection = connection
        self.ordinal = ordinal
        self.reply = reply
        self.session = session
    }
}
