/// The subscribers of one topic in one shard. Confined to the shard's event loop.
final class TopicSubscribers {
    struct Entry {
        let connection: Connection
        var subscriber: Subscriber
    }

    let name: String
    private(set) var entries: [Entry] = []

    init(name: String) { self.name = name }

    /// Adds a subscriber; the connection keeps the index.
    func add(_ connection: Connection, _ subscriber: Subscriber) {
        connection.subscriptions.append(Connection.Subscription(topic: self, index: entries.count))
        entries.append(Entry(connection: connection, subscriber: subscriber))
    }

    /// Removes the subscriber at an index; the last one takes its place.
    func remove(at index: Int) {
        let last = entries.removeLast()
        guard index < entries.count else { return }
        entries[index] = last
        last.connection.moved(in: self, to: index)
    }

    /// Changes the state of the subscriber at an index.
    func change<Result>(at index: Int, _ body: (inout Subscriber) -> Result) -> Result { body(&entries[index].subscriber) }
}
