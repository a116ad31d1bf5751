import NIOCore
import SparqFrontCore
import SparqWire

/// What the connection subscribes to, and how it catches up.
extension Connection {
    /// The connection's place among a topic's subscribers.
    func index(in topic: TopicSubscribers) -> Int? {
        if topic.entries.count < subscriptions.count { return topic.entries.firstIndex { $0.connection === self } }
        return subscriptions.first { $0.topic === topic }?.index
    }

    /// Takes out a subscription; the last one takes its place.
    func removeSubscription(at place: Int) -> Subscription {
        let removed = subscriptions[place]
        let last = subscriptions.removeLast()
        if place < subscriptions.count {
            subscriptions[place] = last
            last.topic.moved(at: last.index, to: place)
        }
        return removed
    }

    /// Pages that may be on their way. The topics of a connection take turns, or the pages of all of them together would make a slow
    /// consumer of a client that was away for long.
    private static let pagesAtOnce = 4

    /// Whether the log's part that came can be written now: with what waits already it stays well below the outbound limit.
    func hasRoom(for frames: [ByteBuffer]) -> Bool {
        guard let socket, !socket.isWritable, !frames.isEmpty else { return true }
        return socket.bufferedBytes + frames.reduce(0) { $0 + $1.readableBytes } <= shard.settings.outboundBytes / 2
    }

    /// What came for a subscriber finds no room: it is asked for again when the socket has drained.
    func postpone(_ subscription: Subscription) {
        subscription.topic.change(at: subscription.index) { $0.postpone() }
        isCatchingUp = true
    }

    /// A subscriber that is behind was added.
    func startCatchingUp() {
        isCatchingUp = true
        catchUp()
    }

    /// Asks for the next pages of those that are behind, as far as the socket has room.
    func catchUp() {
        guard isCatchingUp, socket?.isWritable ?? false else { return }
        var asking = subscriptions.count { $0.topic.entries[$0.index].subscriber.phase == .asking }
        for subscription in subscriptions {
            guard asking < Self.pagesAtOnce else { return }
            guard let cursor = subscription.topic.change(at: subscription.index, { $0.ask() }) else { continue }
            shard.tell(.more(id, topic: subscription.topic.name, after: cursor))
            asking += 1
        }
        isCatchingUp = asking > 0
    }

    /// A client's own request for topics: forwarded as far as there is room beside those that it has and those that are asked for already.
    func subscribe(_ message: [UInt8], id: String?) {
        guard let frame = SubscribeFrame(message) else { return send(SubscribeMessage.type, id: id, message) }
        let had = Set(subscriptions.lazy.map { ExactName($0.topic.name) })
        let new = frame.topics.filter { !had.contains($0) }
        let room = max(0, shard.settings.topics - had.count - inFlight.topics)
        guard new.count > room else { return send(SubscribeMessage.type, id: id, message, topics: new.count) }
        let refused = Array(new.sorted()[room...])
        let names = refused.map(\.text)
        guard let rest = frame.message(id: id, without: refused) else {
            return write(TextFrame.encode(SubscribeFrame.reply(id: id, refused: names, limit: shard.settings.topics)))
        }
        send(SubscribeMessage.type, id: id, rest, topics: room, refused: names)
    }

    /// Asks for topics that were granted as of before the user was unsubscribed from them, or after it. A worker that looks now knows. Where none
    /// answers, the client comes again: it counts on what was granted.
    func askAgain(_ topics: [String: Int]) {
        guard [.open, .leaving, .draining].contains(life.stage) else { return }
        var writer = SubscribeMessage.Writer(id: nil)
        for (topic, cursor) in topics { writer.add(topic, .after(cursor)) }
        send(SubscribeMessage.type, id: Self.ownID, writer.finish(), topics: topics.count)
    }

    /// A worker's reply, with what the front itself has to say.
    func complete(_ reply: ArraySlice<UInt8>?, of ordinal: Int) -> ArraySlice<UInt8>? {
        guard !refusedTopics.isEmpty, let refused = refusedTopics.removeValue(forKey: ordinal) else { return reply }
        return reply.map { SubscribeFrame.reply($0, refused: refused, limit: shard.settings.topics) }
    }
}
