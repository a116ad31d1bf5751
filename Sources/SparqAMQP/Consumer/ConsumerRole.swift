/// The connection's side of a ``Consumer``.
struct ConsumerRole: EngineRole {
    struct Settings {
        let queue: String
        /// Consumed beside it, one delivery at a time.
        let other: String?
        let prefetch: UInt16
        let consumerTag: String
        let exclusive: Bool
        let topology: Topology
        /// Between two looks at whether the topology is still there.
        let refreshInterval: Duration

        /// Of the other queue.
        var otherTag: String { "\(consumerTag)-other" }
    }

    let core: ConsumerCore
    let settings: Settings
    var awaitsRoom = false
    private var epoch: UInt64 = 0
    private var ledger = AckLedger()
    private var deliveries: [Delivery] = []
    private var settlings: [ConsumerCore.Settling] = []
    private var frames: [AckLedger.Settlement] = []
    private var isCancelSent = false
    /// Answers to `basic.cancel` that are still to come.
    private var cancelsOpen = 0
    private var refreshesAt = ContinuousClock.now

    init(_ core: ConsumerCore, _ settings: Settings) {
        self.core = core
        self.settings = settings
    }

    var isDrained: Bool { core.isIdle && ledger.outstandingCount == 0 }

    mutating func opened(_ link: Link) throws(AMQPError) {
        epoch += 1
        core.opened(epoch: epoch)
        ledger = AckLedger()
        isCancelSent = false
        if core.isCancelRequested { return core.over() }
        try consumeOther(link)
        try consume(link)
        refreshesAt = .now + settings.refreshInterval
    }

    private func consume(_ link: Link) throws(AMQPError) {
        try link.setPrefetch(settings.prefetch)
        try link.consume(queue: settings.queue, consumerTag: settings.consumerTag, exclusive: settings.exclusive)
    }

    private func consumeOther(_ link: Link) throws(AMQPError) {
        guard let other = settings.other else { return }
        try link.setPrefetch(1)
        try link.consume(queue: other, consumerTag: settings.otherTag, exclusive: settings.exclusive)
    }

    mutating func work(_ link: Link, now: ContinuousClock.Instant) throws(AMQPError) {
        let shallCancel = core.take(into: &settlings)
        if !settlings.isEmpty {
            for settling in settlings where settling.tag.epoch == epoch {
                let settlement = AckLedger.Settlement(kind: settling.kind, tag: settling.tag.number, multiple: settling.multiple)
                ledger.settle(settlement, into: &frames)
            }
            settlings.removeAll(keepingCapacity: true)
            ledger.flush(into: &frames)
            if frames.count > 1 { link.cork() }
            for frame in frames { try link.settle(frame) }
            if frames.count > 1 { link.uncork() }
            frames.removeAll(keepingCapacity: true)
        }
        // The broker tells nobody that an exchange or a binding was deleted; a publisher that hears of it does not know our bindings.
        if now >= refreshesAt && !isCancelSent && !core.isCancelRequested {
            refreshesAt = now + settings.refreshInterval
            try link.refresh(settings.topology)
        }
        if shallCancel && !isCancelSent {
            isCancelSent = true
            let tags = [settings.consumerTag] + (settings.other == nil ? [] : [settings.otherTag])
            cancelsOpen = tags.count
            for tag in tags { try link.sendCancel(consumerTag: tag) }
        }
    }

    mutating func receive(_ event: Inbound, _ link: Link) throws(AMQPError) {
        switch event {
        case .delivery(let received):
            ledger.delivered(received.tag)
            deliveries.append(
                Delivery(
                    tag: DeliveryTag(epoch: epoch, number: received.tag),
                    message: received.message,
                    exchange: received.exchange,
                    routingKey: received.routingKey,
                    redelivered: received.redelivered
                )
            )
        case .reply(let reply) where reply.method == .basicCancelOK:
            flush()
            cancelsOpen -= 1
            if cancelsOpen <= 0 { core.over() }
        case .consumerCancelled(let tag):
            if core.isCancelRequested {
                flush()
                return core.over()
            }
            // The queue was deleted, or lost its node. What was delivered before can still be settled on this channel.
            try link.declare(settings.topology)
            if settings.other != nil, tag == settings.otherTag { try consumeOther(link) } else { try consume(link) }
        case .channelClosed(let error):
            throw error
        case .confirmed, .refused, .returned, .got, .reply, .blocked, .unblocked: break
        }
    }

    mutating func flush() {
        guard !deliveries.isEmpty else { return }
        core.deliver(&deliveries)
    }

    /// Acks that were asked for before the end.
    mutating func lastWords(_ link: Link) { try? work(link, now: .now) }

    mutating func lost(_ error: AMQPError) {
        // Whatever was delivered on the lost channel comes again.
        deliveries.removeAll()
        settlings.removeAll()
        frames.removeAll()
        ledger = AckLedger()
        core.lost()
    }
}
