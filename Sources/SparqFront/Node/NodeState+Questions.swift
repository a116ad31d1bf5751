import SparqProtocol

extension NodeState {
    /// Asks for every topic anew: after a lost connection to the broker, or where the directory differs.
    mutating func resync() {
        for index in topics.indices {
            topics.values[index].stream.resync()
            restless.insert(topics.keys[index])
        }
    }

    /// Time passed: gaps whose patience is over, and questions without an answer.
    mutating func tick(now: Int, into actions: inout NodeActions) {
        for topic in restless { topics[topic]?.stream.tick(now: now, timing: settings.timing) }
        for (key, read) in reads where read.deadline <= now {
            let attempt = read.attempt + 1
            reads[key] = PendingRead(after: read.after, attempt: attempt, deadline: now + settings.timing.retry(attempt))
            self.read(key, after: read.after, into: &actions)
        }
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
        counters.reads += actions.reads.count
        let wanted = restless.filter { topics[$0]?.stream.wantsSync ?? false }
        if !wanted.isEmpty {
            version += 1
            counters.syncs += wanted.count
            for chunk in chunks(wanted) {
                var request = SyncRequest(version: version, topics: [:])
                for topic in chunk {
                    guard let index = topics.index(forKey: topic) else { continue }
                    request.topics[topic] = topics.values[index].stream.position
                    topics.values[index].stream.asked(version: version, now: now, timing: settings.timing)
                }
                actions.syncs.append(request)
            }
        }
        restless = restless.filter { topics[$0]?.stream.needsTick ?? false }
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

    /// The renewal of the node's lease.
    func lease(incarnation: String, leaving: Bool) -> LeaseRequest {
        let syncing = restless.contains { topics[$0]?.stream.isSyncing ?? false }
        return LeaseRequest(
            incarnation: incarnation,
            version: version,
            topicCount: topics.count,
            checksum: checksum,
            settled: !syncing,
            leaving: leaving
        )
    }

    private func chunks(_ topics: Set<String>) -> [[String]] {
        let sorted = topics.sorted()
        return stride(from: 0, to: sorted.count, by: settings.topicsPerRequest).map {
            Array(sorted[$0..<min($0 + settings.topicsPerRequest, sorted.count)])
        }
    }
}
