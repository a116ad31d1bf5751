import SparqFrontCore
import SparqWire

extension NodeState {
    /// Asks for every topic anew: after a lost connection to the broker, or where the directory differs.
    mutating func resync() {
        for index in topics.indices { topics.values[index].stream.resync() }
        restless.removeAll()
        pacer.wantAll(topics.keys)
    }

    /// The directory differs. What is here is asked for, which writes what is missing there; what is not here is left. Both are changes of now, so it
    /// does no harm where some of it has been mended meanwhile.
    mutating func mend(_ difference: Difference, now: Int) {
        for topic in difference.topics where topics[topic] == nil { leave(topic, now: now) }
        let buckets = Set(difference.buckets)
        for index in topics.indices {
            let topic = topics[index].key
            // What was never asked for has its turn still.
            guard topics[index].value.joined != nil, buckets.contains(TopicChecksum.bucket(ofPart: TopicChecksum.part(topic))) else {
                continue
            }
            topics.values[index].stream.resync()
            restless.remove(topic)
            pacer.want(topic, .bulk)
        }
    }

    /// Time passed: gaps whose patience is over, and readers without an answer.
    mutating func tick(now: Int, into actions: inout NodeActions) {
        for topic in restless {
            guard let index = topics.index(forKey: topic) else { continue }
            topics.values[index].stream.tick(now: now, patience: settings.timing.patience)
            if topics.values[index].stream.wantsSync { pacer.want(topic, .live) }
        }
        restless = restless.filter { topics[$0]?.stream.needsTick ?? false }
        let (workers, timing) = (pacer.workers, settings.timing)
        let again = reads.tick(now: now) { workers.isLost(askedAt: $0, attempt: $1, now: now, timing: timing) }
        for question in again { read(question, into: &actions) }
        forgetRings(now: now)
    }

    /// Rings are for who joins behind what has just happened: those of quiet topics are emptied, or each topic that was ever busy would cost its
    /// share of memory as long as it has a subscriber.
    private mutating func forgetRings(now: Int) {
        guard now >= nextLookAtRings else { return }
        nextLookAtRings = now + settings.ringPatience / 4
        for index in topics.indices { topics.values[index].stream.forgetRing(before: now - settings.ringPatience) }
    }

    /// Ends a batch of work: what is to be asked and left goes out, many topics in one message.
    mutating func finish(now: Int, into actions: inout NodeActions) {
        while let question = reads.next(now: now) { read(question, into: &actions) }
        counters.reads += actions.reads.count
        while let turn = pacer.next(now: now) {
            let request = request(turn)
            pacer.asked(turn, version: request.version, topics: request.topics, now: now)
            guard !request.topics.isEmpty else { continue }
            counters.syncs += request.topics.count
            actions.syncs.append(request)
        }
        // Who came back in the same batch of work has not left.
        leaving = leaving.filter { topics[$0] == nil }
        // Each message has a version of its own: workers take them up apart, and a lease is compared with the directory as soon as that has
        // heard of the lease's version, which should be the last of them.
        for chunk in chunks(leaving) {
            version += 1
            actions.leaves.append(LeaveRequest(version: version, topics: chunk))
        }
        leaving = []
    }

    /// Each request has a version of its own, by which its answer is known.
    private mutating func request(_ turn: SyncPacer.Turn) -> SyncRequest {
        version += 1
        var request = SyncRequest(version: version, topics: [:], joined: [:], brief: true)
        for topic in turn.topics {
            guard let index = topics.index(forKey: topic) else { continue }
            request.topics[topic] = topics.values[index].stream.position
            topics.values[index].stream.asked(version: version)
            if let joined = topics.values[index].joined {
                request.joined?[topic] = joined
            } else {
                topics.values[index].joined = version
            }
        }
        return request
    }

    /// The renewal of the node's lease.
    func lease(incarnation: String, leaving: Bool) -> LeaseRequest {
        LeaseRequest(
            incarnation: incarnation,
            version: version,
            topicCount: topics.count,
            checksum: checksum,
            settled: pacer.isIdle,
            leaving: leaving,
            sums: sums
        )
    }

    private func chunks(_ topics: Set<String>) -> [[String]] {
        let sorted = topics.sorted()
        return stride(from: 0, to: sorted.count, by: settings.topicsPerRequest).map {
            Array(sorted[$0..<min($0 + settings.topicsPerRequest, sorted.count)])
        }
    }
}
