import SparqFrontCore

/// The subscribers of one topic in one shard. Confined to the shard's event loop.
///
/// A topic and a connection each know where the other keeps what joins them: whoever goes is found without a search, however many there are.
final class TopicSubscribers {
    struct Entry {
        let connection: Connection
        var subscriber: Subscriber
        /// Its place among the connection's subscriptions.
        fileprivate(set) var place: Int32
    }

    let name: String
    private(set) var entries: [Entry] = []

    init(name: String) { self.name = name }

    /// Adds a subscriber; the connection keeps the index.
    func add(_ connection: Connection, _ subscriber: Subscriber) {
        entries.append(Entry(connection: connection, subscriber: subscriber, place: Int32(connection.subscriptions.count)))
        connection.subscriptions.append(Connection.Subscription(topic: self, index: entries.count - 1))
    }

    /// Removes the subscriber at an index; the last one takes its place.
    func remove(at index: Int) {
        let last = entries.removeLast()
        guard index < entries.count else { return }
        entries[index] = last
        last.connection.subscriptions[Int(last.place)].index = index
    }

    /// The connection keeps the subscription of the subscriber at an index at another place.
    func moved(at index: Int, to place: Int) { entries[index].place = Int32(place) }

    /// Changes the state of the subscriber at an index.
    func change<Result>(at index: Int, _ body: (inout Subscriber) -> Result) -> Result { body(&entries[index].subscriber) }
}
