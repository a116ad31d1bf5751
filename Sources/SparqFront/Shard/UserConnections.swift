/// A shard's connections by user: an instruction for one of them finds theirs without a look at all. Confined to the shard's event loop.
struct UserConnections {
    private var connections: [String: [Connection]] = [:]

    /// The user's connections, in no order.
    func of(_ user: String) -> [Connection] { connections[user] ?? [] }

    /// Adds a connection; it keeps its place.
    mutating func add(_ connection: Connection) {
        connection.placeOfUser = Int32(connections[connection.user, default: []].count)
        connections[connection.user, default: []].append(connection)
    }

    /// Removes a connection that was added; the user's last one takes its place.
    mutating func remove(_ connection: Connection) {
        guard connection.placeOfUser >= 0, let last = connections[connection.user]?.popLast() else { return }
        if last !== connection {
            last.placeOfUser = connection.placeOfUser
            connections[connection.user]?[Int(last.placeOfUser)] = last
        }
        connection.placeOfUser = -1
        if connections[connection.user]?.isEmpty ?? false { connections[connection.user] = nil }
    }
}
