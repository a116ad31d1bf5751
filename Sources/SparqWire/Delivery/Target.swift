/// Whom an instruction is for: one connection, or all of a user's on the node.
public enum Target: Hashable, Sendable {
    /// One connection.
    case connection(String)
    /// All connections of a user.
    case user(String)
}

extension Target {
    func encode(into writer: inout JSONWriter) {
        switch self {
        case .connection(let id):
            writer.raw(",\"connection\":")
            writer.string(id)
        case .user(let id):
            writer.raw(",\"user\":")
            writer.string(id)
        }
    }

    init(_ fields: DeliveryFields) throws(JSONError) {
        if let connection = fields.connection { self = .connection(connection) } else { self = .user(try fields.required(fields.user)) }
    }
}
