internal import Synchronization

/// The connection's side of a ``Publisher``.
struct PublisherRole: EngineRole {
    let core: PublisherCore
    var awaitsRoom = false
    private var isBlocked = false
    private var chunk: [Publication] = []
    private var verdicts: [PublisherCore.Verdict] = []
    private var unchecked = 0

    init(_ core: PublisherCore) { self.core = core }

    var isDrained: Bool { core.isEmpty }

    mutating func opened(_ link: Link) throws(AMQPError) {
        try link.selectConfirms()
        isBlocked = false
        awaitsRoom = false
    }

    mutating func work(_ link: Link) throws(AMQPError) {
        while !isBlocked && !awaitsRoom {
            core.take(into: &chunk)
            guard !chunk.isEmpty else { return }
            defer { chunk.removeAll(keepingCapacity: true) }
            if chunk.count > 1 { link.cork() }
            for publication in chunk { try write(publication, link) }
            if chunk.count > 1 { link.uncork() }
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
            if error.blamesPublish { core.refused(error) } else { core.lost() }
            try link.openChannel()
            try link.selectConfirms()
        case .delivery, .got, .consumerCancelled, .reply: break
        }
    }

    mutating func flush() {
        guard !verdicts.isEmpty else { return }
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
