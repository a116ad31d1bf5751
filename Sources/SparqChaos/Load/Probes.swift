import SparqClient
import SparqWire

/// Two clients per front, which know no other, that send one small message after the other: what tells when service is back after a fault.
struct Probes: Sendable {
    let clients: [ChaosClient]
    let log = ProbeLog()
    let deadline: ContinuousClock.Instant

    init(token: String, sockets: [String], seed: UInt64, deadline: ContinuousClock.Instant) {
        self.deadline = deadline
        clients = (0..<sockets.count * 2).map {
            // They come back at once, so that it is the front's time that is measured and not theirs.
            ChaosClient(
                name: "p\($0)",
                user: "probe",
                token: token,
                urls: [sockets[$0 % sockets.count]],
                seed: seed &+ UInt64($0),
                backoffCap: 200
            )
        }
    }

    func open() async throws {
        for client in clients { try await client.open(topics: [Topic.room(Community.probeRoom).rawValue], deadline: .seconds(60)) }
    }

    func probe(until end: Ending) async {
        await withTaskGroup(of: Void.self) { group in
            for (index, client) in clients.enumerated() {
                group.addTask {
                    // One more after the end: so that service is seen to be back after the last fault too.
                    var isLast = false
                    while !isLast {
                        isLast = end.isOver
                        let start = ContinuousClock.now
                        if await client.send(.room(Community.probeRoom), lane: 0, deadline: deadline - start) {
                            await log.note(probe: index, start: start, end: ContinuousClock.now)
                        } else if ContinuousClock.now >= deadline {
                            return
                        }
                        await pause(.milliseconds(250))
                    }
                }
            }
        }
    }

    /// How long after `instant` it took until every probe had a message answered that was sent after it; `nil` where one never had.
    func recovery(after instant: ContinuousClock.Instant) async -> Duration? {
        var longest = Duration.zero
        for index in clients.indices {
            guard let end = await log.firstAnswer(probe: index, after: instant) else { return nil }
            longest = max(longest, end - instant)
        }
        return longest
    }
}

/// When the probes' messages were sent and answered.
actor ProbeLog {
    private var answers: [Int: [(start: ContinuousClock.Instant, end: ContinuousClock.Instant)]] = [:]

    func note(probe: Int, start: ContinuousClock.Instant, end: ContinuousClock.Instant) {
        answers[probe, default: []].append((start, end))
    }

    func firstAnswer(probe: Int, after instant: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        answers[probe]?.first { $0.start >= instant }?.end
    }
}
