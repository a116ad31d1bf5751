import FaultLog
public import Logging
import NIOConcurrencyHelpers
public import NIOCore
import NIOPosix
public import ServiceLifecycle
import SparqAMQP
import SparqFrontCore
import SparqWire

/// The front role: one node that keeps clients' sockets, forwards what they say to the workers, and pushes what the workers tell it.
///
/// Run it in a `ServiceGroup`. On a graceful shutdown it drains: it is not ready any more, takes no new sockets, tells its clients to reconnect
/// over a window, lets what is on its way finish, and returns.
public final class Front: Service {
    /// The node's id.
    public let node: String
    private let configuration: FrontConfiguration
    private let group: any EventLoopGroup
    private let logger: Logger
    private let bound = BoundPort()
    private let readiness = FrontReadiness()
    private let running = RunningParts()
    private let otherBroker: (@Sendable (FrontReadiness, NodeInbox) -> any NodeBroker)?

    /// - Parameter eventLoopGroup: must outlive ``run()``. By default the process's own.
    /// - Throws: ``FrontError`` where a setting makes no sense.
    public convenience init(
        configuration: FrontConfiguration,
        eventLoopGroup: (any EventLoopGroup)? = nil,
        logger: Logger
    ) throws(FrontError) {
        try self.init(configuration: configuration, eventLoopGroup: eventLoopGroup, logger: logger, broker: nil)
    }

    /// A front with another broker than RabbitMQ.
    init(
        configuration: FrontConfiguration,
        eventLoopGroup: (any EventLoopGroup)?,
        logger: Logger,
        broker: (@Sendable (FrontReadiness, NodeInbox) -> any NodeBroker)?
    ) throws(FrontError) {
        otherBroker = broker
        try configuration.validate()
        self.configuration = configuration
        group = eventLoopGroup ?? MultiThreadedEventLoopGroup.singleton
        let node = configuration.node ?? Self.randomNode()
        self.node = node
        var logger = logger
        logger[metadataKey: "node"] = "\(node)"
        self.logger = logger
    }

    /// The port that it listens on. Waits until it does; `nil` if it ended before.
    public var port: Int? {
        get async { await bound.value }
    }

    /// Whether it can serve: connected to the broker both ways, its queue consumed, its lease answered lately, and not draining.
    public var isReady: Bool { readiness.current.isReady }

    /// What it has counted; `nil` before it runs.
    public func counters() async -> FrontCounters? {
        guard let (hub, core) = running.parts, let shards = try? await hub.counters() else { return nil }
        let (node, topics) = await core.counters
        return FrontCounters(
            connections: shards.connections,
            topics: topics,
            messages: shards.messages,
            requests: shards.requests,
            deliveries: node.deliveries,
            delivered: shards.delivered,
            dropped: shards.dropped,
            slow: shards.slow,
            unavailable: shards.unavailable,
            duplicates: node.duplicates,
            gaps: node.gaps,
            syncs: node.syncs,
            reads: node.reads,
            strays: node.strays
        )
    }

    /// Runs until a graceful shutdown, or cancellation, which ends all at once.
    /// - Throws: where it cannot listen. A broker that cannot be reached is no reason to end.
    public func run() async throws {
        defer { bound.bound(nil) }
        let inbox = NodeInbox()
        let forwarder = Forwarder(configuration.forwarderSettings)
        let hub = try await Hub(
            on: group,
            settings: configuration.connectionSettings(node: node),
            forwarder: forwarder,
            inbox: inbox,
            unanswered: { [late = FaultLog(logger), lost = FaultLog(logger)] batch in
                // One fault for each lane. They have no end: a batch that is answered says nothing of the one that is not.
                (batch.isGivenUp ? lost : late).occurred(
                    batch.lane,
                    batch.isGivenUp
                        ? "A batch has no answer and is given up: its lane goes on without it"
                        : "A batch has no answer in time: the workers of its lane are slow or away, or took it without an answer",
                    metadata: [
                        "lane": "\(batch.lane)", "connection": "\(batch.connection)", "first": "\(batch.ordinals.lowerBound)",
                        "messages": "\(batch.ordinals.count)",
                    ]
                )
            }
        )
        defer { hub.stop() }
        let readiness = readiness
        let incarnation = Self.hex(UInt64.random(in: .min ... .max), digits: 16)
        let core = NodeCore(
            node: node,
            incarnation: incarnation,
            settings: configuration.nodeSettings,
            hub: hub,
            forwarder: forwarder,
            logger: logger,
            onLease: { [logger] in
                let news = readiness.change { $0.leaseAnswered(now: Clock.now()) }
                if news.isLeasedAgain {
                    logger.info("Workers answer")
                    hub.lookWhetherServed { readiness.current.isLeased }
                }
                if news.endsDoubt { hub.sendAgain() }
                if news.beginsDoubt { inbox.add([.resync, .missedEnds]) }
            }
        )
        running.set(hub, core)
        let tokens = await SessionTokens(
            secret: configuration.sessionSecret,
            lifetime: max(1, Int(configuration.sessionLifetime.components.seconds))
        )
        let server = makeServer(hub, tokens, forwarder)
        let broker = makeBroker(inbox, incarnation, hub)

        try await withThrowingTaskGroup(of: Void.self) { group in
            let (served, endOfServer) = AsyncStream.makeStream(of: Never.self)
            group.addTask {
                defer { endOfServer.finish() }
                try await server.run()
            }
            group.addTask { [bound] in
                let port = await server.port
                bound.bound(port)
                if let port { self.logger.info("Listening", metadata: ["port": "\(port)", "version": "\(SparqVersion.text)"]) }
            }
            group.addTask { try await broker.run() }
            group.addTask {
                await forwarder.run(
                    broker.inbound,
                    isOpen: { readiness.current.isPublishing },
                    undelivered: { hub.undelivered($0) },
                    refused: { hub.refused($0) },
                    relieved: { hub.relieved() }
                )
            }
            group.addTask { await broker.deliver(to: core) }
            group.addTask {
                for await _ in inbox.signals {
                    let inputs = inbox.take()
                    await core.accept(inputs)
                    guard inputs.contains(.resync) else { continue }
                    // Behind what the shards were just told; the answer to this lease comes behind all that is left in the queue.
                    readiness.change { $0.doubt() }
                    await core.renew(leaving: false)
                }
            }
            group.addTask { try await self.tick(core) }
            group.addTask { try await self.renew(core, hub) }
            group.addTask {
                try await gracefulShutdown()
                try await self.drain(hub, core, forwarder)
                await Self.end(of: served)
                throw Ended()
            }
            do {
                // Whatever ends for another reason than the drain ends all; the server and the port's watcher return on their own.
                while try await group.next() != nil {}
            } catch is Ended {
                // All that clients were promised is done.
            } catch is CancellationError {
            }
            group.cancelAll()
        }
    }
}

extension Front {
    private struct Ended: Error {}

    private func makeServer(
        _ hub: Hub,
        _ tokens: SessionTokens,
        _ forwarder: Forwarder
    ) -> FrontServer<FrontAcceptor, BrowserRules<FrontRouter.Responder>> {
        let policy = OriginPolicy(allowed: configuration.allowedOrigins, trustsProxy: configuration.forwardedHeader != nil)
        let origins = OriginGate(policy, logger: logger)
        let cookie = SessionCookie(isSecure: configuration.secureCookie, lifetime: tokens.lifetime)
        let addresses = ClientAddresses(header: configuration.forwardedHeader, logger: logger)
        let acceptor = FrontAcceptor(
            tokens: tokens,
            origins: origins,
            devCookie: configuration.devCookie,
            cookie: cookie,
            hub: hub,
            readiness: readiness,
            addresses: addresses,
            forwarder: forwarder
        )
        let messages = MessageRoute(
            hub: hub,
            readiness: readiness,
            tokens: tokens,
            origins: origins,
            devCookie: configuration.devCookie,
            cookie: cookie,
            messageBytes: configuration.messageBytes,
            limiter: RequestLimiter(
                users: TokenBucket.Rate(perSecond: configuration.messagesPerSecond, burst: configuration.burst),
                addresses: TokenBucket.Rate(perSecond: configuration.requestsPerSecond, burst: configuration.requestBurst)
            ),
            unanswered: UnansweredRequests(lanes: configuration.lanes, limit: configuration.burst),
            addresses: addresses
        )
        return FrontServer(
            configuration: configuration.serverConfiguration,
            acceptor: acceptor,
            responder: BrowserRules(
                FrontRouter.make(messages: messages, readiness: readiness, webRoot: configuration.webRoot, logger: logger),
                origins: origins,
                contentPolicy: configuration.contentSecurityPolicy,
                logger: logger
            ),
            eventLoopGroup: group,
            logger: logger
        )
    }

    private func makeBroker(_ inbox: NodeInbox, _ incarnation: String, _ hub: Hub) -> any NodeBroker {
        if let otherBroker { return otherBroker(readiness, inbox) }
        return FrontBroker(
            configuration: configuration.broker,
            topology: FrontTopology(
                names: configuration.names,
                node: node,
                incarnation: incarnation,
                queueExpiry: (BrokerNames.nodeQueuePatience + configuration.lease).nanoseconds / 1_000_000,
                queueBytes: configuration.queueBytes
            ),
            // Each publishing task has one at a time.
            window: configuration.unconfirmedBatches * configuration.lanes.names.count,
            prefetch: configuration.prefetch,
            isNamed: configuration.node != nil,
            readiness: readiness,
            inbox: inbox,
            logger: logger,
            // They hear nothing here any more.
            onClaimLost: { hub.sendAway() }
        )
    }

    private func tick(_ core: NodeCore) async throws {
        let interval = max(.milliseconds(10), min(configuration.gapPatience / 4, .milliseconds(100)))
        while true {
            try await Task.sleep(for: interval)
            // Without a broker nothing is answered: asking again and again would only pile up.
            if readiness.current.isPublishing { await core.tick() }
        }
    }

    /// Renews the lease three times in its own time; once a second while nobody answers. Without a broker there is nothing to renew with.
    private func renew(_ core: NodeCore, _ hub: Hub) async throws {
        let lease = configuration.lease.nanoseconds
        while true {
            if readiness.change({ $0.expireLease(now: Clock.now(), after: lease) }) {
                logger.warning("No worker has answered for as long as the lease lasts: not ready")
                hub.lookWhetherServed { [readiness] in readiness.current.isLeased }
            }
            let state = readiness.current
            // While it drains too: the clients that are still here must hear what happens.
            if state.isPublishing, state.isConsuming { await core.renew(leaving: false) }
            let patience: Duration = state.isLeased ? configuration.lease / 3 : min(.seconds(1), configuration.lease / 3)
            try await Task.sleep(for: state.isPublishing && state.isConsuming ? patience : min(.milliseconds(50), patience))
        }
    }

    private func drain(_ hub: Hub, _ core: NodeCore, _ forwarder: Forwarder) async throws {
        logger.info("Draining: clients are told to reconnect")
        readiness.change { $0.isDraining = true }
        let window = configuration.drainWindow
        // A message that is never finished costs its deadline, and the farewell after it another one.
        let limit = window + configuration.replyDeadline * 2 + .seconds(5)
        let isDone = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await hub.drain(window: window.nanoseconds)
                return true
            }
            group.addTask {
                try await Task.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
        if !isDone { logger.warning("Some clients could not be moved away in time") }
        await core.renew(leaving: true)
        forwarder.finish()
        try await forwarder.flushed(within: configuration.replyDeadline)
        logger.info("Drained")
    }

    /// Waits until no HTTP connection is left, but not for a client that keeps its end open.
    private static func end(of server: AsyncStream<Never>) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in server {} }
            group.addTask { try? await Task.sleep(for: .seconds(1)) }
            await group.next()
            group.cancelAll()
        }
    }

    private static func randomNode() -> String { "f-\(hex(UInt64(UInt32.random(in: .min ... .max)), digits: 8))" }

    private static func hex(_ number: UInt64, digits: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }
}

/// The parts of a front that runs. Thread-safe.
final class RunningParts: Sendable {
    private let box = NIOLockedValueBox<(Hub, NodeCore)?>(nil)

    var parts: (Hub, NodeCore)? { box.withLockedValue { $0 } }

    func set(_ hub: Hub, _ core: NodeCore) { box.withLockedValue { $0 = (hub, core) } }
}
