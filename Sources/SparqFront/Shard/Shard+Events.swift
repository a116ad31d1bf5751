import NIOCore
import SparqFrontCore
import SparqWebSocket

/// What subscribers get: live events, and their part of the log.
extension Shard {
    func release(_ releases: [FrameStream.Release], _ name: String) {
        guard let topic = topics[ExactName(name)] else { return }
        var frames: [(seq: Int, frame: ByteBuffer)] = []
        frames.reserveCapacity(releases.count)
        for release in releases {
            switch release {
            case .event(let seq, let frame): frames.append((seq, frame))
            // A cursor below `first` has not seen what is lost; the notice stands where the events would have.
            case .truncated(let after, let first):
                frames.append((first - 1, Frames.truncated(topic: name, after: after, first: first)))
            // New events under old numbers would be taken for repeats. Who comes back is told that the cursor is ahead of the log.
            case .restarted:
                for connection in topic.entries.map(\.connection) { connection.close(.internalError, reason: "the log was set back") }
                return
            }
        }
        // Many small frames for many sockets: joined once, written once each.
        if frames.count > 1, topic.entries.count > 1, let first = frames.first, topic.entries.allSatisfy({ $0.subscriber.takes(first.seq) })
        {
            var joined = ByteBuffer()
            joined.reserveCapacity(frames.reduce(0) { $0 + $1.frame.readableBytes })
            for (_, frame) in frames { joined.writeImmutableBuffer(frame) }
            for entry in topic.entries { entry.connection.write(joined) }
            counters.delivered += frames.count * topic.entries.count
            return
        }
        for entry in topic.entries {
            for (seq, frame) in frames where entry.subscriber.takes(seq) {
                entry.connection.write(frame)
                counters.delivered += 1
            }
        }
    }

    func ephemeral(_ frame: ByteBuffer, to connection: Connection) {
        if connection.writeEphemeral(frame) { counters.delivered += 1 } else { counters.dropped += 1 }
    }

    func write(_ frames: [ByteBuffer], to connection: Connection) {
        for frame in frames { connection.write(frame) }
        counters.delivered += frames.count
    }

    func join(_ id: ConnectionID, _ topic: String, after: Int, through: Int, _ frames: [ByteBuffer]) {
        guard let (connection, subscription) = find(id, topic) else { return }
        guard connection.hasRoom(for: frames) else { return connection.postpone(subscription) }
        guard subscription.topic.change(at: subscription.index, { $0.join(after: after, through: through) }) else { return }
        write(frames, to: connection)
        connection.catchUp()
    }

    func deliver(_ page: LogPage, _ topic: String, to id: ConnectionID) {
        guard let (connection, subscription) = find(id, topic) else { return }
        guard connection.hasRoom(for: [page.frames]) else { return connection.postpone(subscription) }
        guard subscription.topic.change(at: subscription.index, { $0.page(after: page.after, last: page.last) }) else { return }
        if page.first > page.after + 1 { connection.write(Frames.truncated(topic: topic, after: page.after, first: page.first)) }
        if page.frames.readableBytes > 0 { connection.write(page.frames) }
        counters.delivered += page.last - page.first + 1
        if !page.isLast { connection.catchUp() }
    }
}
