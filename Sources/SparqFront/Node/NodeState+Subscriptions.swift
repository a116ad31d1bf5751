import NIOCore
import SparqFrontCore
import SparqWire

extension NodeState {
    /// A worker allowed a connection to subscribe. The shard has the last word: it knows whether the connection is still there.
    mutating func subscribe(_ connection: ConnectionID, _ grant: Grant, ordinal: Int? = nil, now: Int, into actions: inout NodeActions) {
        let name = grant.topic
        if topics[name] == nil {
            topics[name] = Topic(stream: FrameStream(position: max(grant.head, 0), ring: settings.ring))
            count(name, isHere: true)
            pacer.want(name, .live)
            leaving.remove(name)
        }
        guard let index = topics.index(forKey: name) else { return }
        topics.values[index].stream.notice(head: grant.head, now: now)
        if topics.values[index].stream.needsTick { restless.insert(name) }
        topics.values[index].addSubscriber(shard: connection.shard)
        let stream = topics.values[index].stream
        let start: ShardCommand.Start =
            stream.covers(grant.cursor)
            ? .live(cursor: grant.cursor, through: stream.position, frames: stream.since(grant.cursor)) : .behind(cursor: grant.cursor)
        actions.commands[connection.shard].append(.subscribe(connection, ordinal: ordinal, topic: name, start: start))
    }

    /// A subscriber is gone.
    mutating func removeSubscriber(of topic: String, shard: Int, now: Int) {
        guard let index = topics.index(forKey: topic), topics.values[index].removeSubscriber(shard: shard) else { return }
        topics.remove(at: index)
        count(topic, isHere: false)
        restless.remove(topic)
        pacer.settle(topic, now: now)
        leave(topic, now: now)
    }

    /// A subscriber that is behind can take more: the ring's part if it reaches back so far, else a page of the log.
    mutating func more(_ connection: ConnectionID, _ topic: String, after: Int, into actions: inout NodeActions) {
        guard !join(connection, topic, after: after, into: &actions) else { return }
        guard topics[topic] != nil else { return }
        reads.want(ReadPacer.Key(connection: connection, topic: topic), after: after)
    }

    /// A page for a subscriber that is behind.
    mutating func deliver(_ page: Page, to connection: ConnectionID, now: Int, into actions: inout NodeActions) {
        let key = ReadPacer.Key(connection: connection, topic: page.topic)
        guard reads.after(key) == page.after else { return }
        if page.last <= page.after, !join(connection, page.topic, after: page.after, into: &actions) {
            // The log had no more when it was read, and the ring has moved on since, or the worker had no room for it: asked again when the time
            // has come.
            if page.head > page.after { reads.rest(key, until: now + settings.timing.patience) }
            return
        }
        reads.settle(key)
        guard page.last > page.after else { return }
        var frames = ByteBuffer()
        for event in page.events { TextFrame.write(event, to: &frames) }
        let isLast = topics[page.topic]?.stream.covers(page.last) ?? false
        let part = LogPage(after: page.after, first: page.first, last: page.last, frames: frames, isLast: isLast)
        actions.commands[connection.shard].append(.page(connection, topic: page.topic, part))
        // What the ring holds is small: it need not wait for the socket.
        if isLast { _ = join(connection, page.topic, after: page.last, into: &actions) }
    }

    /// Makes a subscriber live, if the ring reaches back to where it is.
    private func join(_ connection: ConnectionID, _ topic: String, after: Int, into actions: inout NodeActions) -> Bool {
        guard let stream = topics[topic]?.stream, stream.covers(after) else { return false }
        actions.commands[connection.shard].append(
            .join(connection, topic: topic, after: after, through: stream.position, frames: stream.since(after))
        )
        return true
    }

    func read(_ question: ReadPacer.Question, into actions: inout NodeActions) {
        let key = question.key
        actions.reads.append(ReadRequest(topic: key.topic, after: question.after, connection: key.connection.description))
    }
}

extension NodeState.Topic {
    mutating func addSubscriber(shard: Int) {
        if let index = subscribers.firstIndex(where: { $0.shard == shard }) {
            subscribers[index].count += 1
        } else {
            subscribers.append((shard, 1))
        }
    }

    /// Returns whether it was the last one of all.
    mutating func removeSubscriber(shard: Int) -> Bool {
        guard let index = subscribers.firstIndex(where: { $0.shard == shard }) else { return false }
        subscribers[index].count -= 1
        if subscribers[index].count == 0 { subscribers.remove(at: index) }
        return subscribers.isEmpty
    }
}
