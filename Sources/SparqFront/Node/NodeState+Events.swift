import NIOCore
import SparqFrontCore
import SparqWire

extension NodeState {
    /// An event for the subscribers of a topic.
    mutating func deliver(_ event: Event, now: Int, into actions: inout NodeActions) {
        guard let index = topics.index(forKey: event.topic) else {
            stray(event.topic, now: now)
            return
        }
        guard let seq = event.seq else {
            let frame = TextFrame.encode(event.body)
            for shard in topics.values[index].subscribers {
                actions.commands[shard.shard].append(.ephemeral(topic: event.topic, frame: frame))
            }
            return
        }
        if Sabotage.isOn(.noSequencer) {
            return emit([.event(seq: seq, frame: TextFrame.encode(event.body))], of: event.topic, at: index, into: &actions)
        }
        let position = topics.values[index].stream.position
        guard seq > position else {
            counters.duplicates += 1
            return
        }
        if seq > position + 1 { counters.gaps += 1 }
        let wantedSync = topics.values[index].stream.wantsSync
        var released: [FrameStream.Release] = []
        topics.values[index].stream.event(seq, TextFrame.encode(event.body), now: now, hold: settings.hold, into: &released)
        let (wantsSync, held) = (topics.values[index].stream.wantsSync, topics.values[index].stream.heldCount)
        // However many others wait: subscribers hear nothing of this one until it is answered. An event too large to be held says so once.
        if wantsSync, held > 0 || !wantedSync { pacer.want(event.topic, .live) }
        if topics.values[index].stream.needsTick { restless.insert(event.topic) }
        emit(released, of: event.topic, at: index, into: &actions)
    }

    /// A page that the node itself asked for.
    mutating func deliver(_ page: Page, now: Int, into actions: inout NodeActions) {
        guard let index = topics.index(forKey: page.topic) else { return }
        let wantedSync = topics.values[index].stream.wantsSync
        var released: [FrameStream.Release] = []
        topics.values[index].stream.page(
            after: page.after,
            first: page.first,
            head: page.head,
            version: page.version,
            frames: page.events.map(TextFrame.encode),
            now: now,
            into: &released
        )
        if !topics.values[index].stream.isSyncing {
            pacer.settle(page.topic, now: now)
        } else if !wantedSync, topics.values[index].stream.wantsSync {
            pacer.want(page.topic, pacer.urgency(of: page.version))
        }
        if topics.values[index].stream.needsTick { restless.insert(page.topic) }
        emit(released, of: page.topic, at: index, into: &actions)
    }

    /// The rest of a request's topics: where the node was is the log's end.
    mutating func deliver(_ synced: Synced, now: Int, into actions: inout NodeActions) {
        let behind = Set(synced.behind)
        for (topic, after) in pacer.topics(of: synced.version) where !behind.contains(topic) {
            let end = Page(topic: topic, after: after, first: after + 1, head: after, version: synced.version, connection: nil, events: [])
            deliver(end, now: now, into: &actions)
        }
    }

    private mutating func emit(
        _ released: [FrameStream.Release],
        of topic: String,
        at index: Dictionary<String, Topic>.Index,
        into actions: inout NodeActions
    ) {
        guard !released.isEmpty else { return }
        for shard in topics.values[index].subscribers { actions.release(released, of: topic, to: shard.shard) }
    }

    /// An event of a topic that nobody here subscribes to: the directory is behind, or holds too much.
    private mutating func stray(_ topic: String, now: Int) {
        counters.strays += 1
        if let last = strays[topic], now - last < settings.strayInterval { return }
        leave(topic, now: now)
    }

    /// The topic is to be left with the next batch of work.
    mutating func leave(_ topic: String, now: Int) {
        // Sorting out the old ones would cost a look at all for each topic that a crowd leaves; forgetting costs a leave too many.
        if strays.count >= settings.strayLimit { strays.removeAll(keepingCapacity: true) }
        strays[topic] = now
        leaving.insert(topic)
    }
}
