/// A message is finished, with a reply or without.
package struct Done: Equatable, Sendable {
    /// What a reply does to the session of who asked: logging in and out.
    package enum SessionChange: Equatable, Sendable {
        /// From now on the client is this user.
        case begin(user: String)
        /// From now on the client is nobody.
        case end
    }

    /// The connection that the message came from.
    package var connection: String
    /// The message's count on that connection.
    package var ordinal: Int
    /// The JSON text of the reply, where there is one.
    package var reply: ArraySlice<UInt8>?
    /// Only replies to HTTP requests apply a change: the front sets or removes the cookie.
    package var session: SessionChange?

    /// Of its parts.
    @inlinable package init(connection: String, ordinal: Int, reply: ArraySlice<UInt8>? = nil, session: SessionChange? = nil) {
        self.connection = connection
        self.ordinal = ordinal
        self.reply = reply
        self.session = session
    }
}

extension Done {
    func encode(into writer: inout JSONWriter) {
        writer.raw("{\"kind\":\"done\",\"connection\":")
        writer.string(connection)
        writer.raw(",\"n\":")
        writer.integer(ordinal)
        switch session {
        case .begin(let user)?:
            writer.raw(",\"session\":\"begin\",\"user\":")
            writer.string(user)
        case .end?: writer.raw(",\"session\":\"end\"")
        case nil: break
        }
        if let reply {
            writer.raw(",\"body\":")
            writer.json(reply)
        }
    }

    init(_ fields: DeliveryFields) throws(JSONError) {
        let session: SessionChange? =
            switch fields.session {
            case "begin": .begin(user: try fields.required(fields.user))
            case "end": .end
            default: nil
            }
        self.init(
            connection: try fields.required(fields.connection),
            ordinal: try fields.required(fields.ordinal),
            reply: fields.body,
            session: session
        )
    }
}
