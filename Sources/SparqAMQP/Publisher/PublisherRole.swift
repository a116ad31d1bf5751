internal import FaultLog
internal import Logging
internal import Synchronization

/// The connection's side of a ``Publisher``.
struct PublisherRole: EngineRole {
    /// So often an exchange may be gone again before anything was confirmed; then a new connection has to help, after a pause.
    private static let mendingLimit = 8

    let core: PublisherCore
    private let topology: Topology
    private let faults: FaultLog
    private let exchanges: Set<String>
    var awaitsRoom = false
    private var isBlocked = false
    private var chunk: [Publication] = []
    private var verdicts: [PublisherCore.Verdict] = []
    private var unchecked = 0
    private var mendings = 0

    init(_ core: PublisherCore, _ topology: Topology, _ faults: FaultLog) {
        self.core = core
        self.topology = topology
        self.faults = faults
        exchanges = Set(topology.exchanges.map(\.name))
    }

    var isDrained: Bool { core.isEmpty }

    mutating func opened(_ link: Link) throws(AMQPError) {
        try link.selectConfirms()
        isBlocked = false
        awaitsRoom = false
        mendings = 0
    }

    mutating func work(_ link: Link, now: ContinuousClock.Instant) throws(AMQPError) {
        while !isBlocked && !awaitsRoom {
            core.take(into: &chunk)
            guard !chunk.isEmpty else { return }
            defer { chunk.removeAll(keepingCapacity: true) }
            if chunk.count > 1 { link.cork() }
            for publication in chunk { try write(publication, link) }
            if chunk.count > 1 { link.uncork() }
            // Writing may have taken long.
            try link.beat()
            // A broker that does not read must not stall this thread, so look for room before the next ones.
            if unchecked >= 16384 {
                unchecked = 0
                awaitsRoom = !link.socket.isWritable
            }
        }
    }

    private mutating func write(_ publication: Publication, _ link: Link) throws(AMQPError) {
        unchecked += publication.message.body.count + 256
        do throws(AMQPError) {
            try link.publish(
                publication.message,
                exchange: publication.exchange,
                routingKey: publication.routingKey,
                mandatory: publication.mandatory ? publication.id.load(ordering: .relaxed) : nil
            )
        } catch {
            if error.code == .invalidArgument { core.fail(publication, error) }
            throw error
        }
    }

    mutating func receive(_ event: Inbound, _ link: Link) throws(AMQPError) {
        switch event {
        case .confirmed(let tag, let multiple): verdicts.append(.confirmed(tag: tag, multiple: multiple))
        case .refused(let tag, let multiple): verdicts.append(.refused(tag: tag, multiple: multiple))
        case .returned(let received, let replyCode, let text):
            guard case .int64(let id) = received.message.headers[Link.sequenceHeader] else { return }
            verdicts.append(.returned(id: UInt64(bitPattern: id), replyCode: replyCode, text: text))
        case .blocked: isBlocked = true
        case .unblocked: isBlocked = false
        case .channelClosed(let error):
            flush()
            try link.openChannel()
            if error.isMissingExchange && !exchanges.isEmpty {
                // Deleted under us, perhaps. What is declared again is no reason to refuse a message.
                guard mendings < Self.mendingLimit else { throw error }
                mendings += 1
                faults.occurred("exchange", "an exchange is gone, declaring the topology again", metadata: ["error": "\(error)"])
                try link.declare(topology)
                core.refused(error, declared: exchanges)
            } else if error.blamesPublish {
                core.refused(error)
            } else {
                core.lost()
            }
            try link.selectConfirms()
        case .delivery, .got, .consumerCancelled, .reply: break
        }
    }

    mutating func flush() {
        guard !verdicts.isEmpty else { return }
        mendings = 0
        core.settle(verdicts)
        verdicts.removeAll(keepingCapacity: true)
    }

    mutating func lastWords(_ link: Link) {}

    mutating func lost(_ error: AMQPError) {
        flush()
        chunk.removeAll()
        if error.code == .connectionClosed && error.blamesPublish { core.refused(error) } else { core.lost() }
    }
}
