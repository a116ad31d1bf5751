import SparqAMQP
import Logging
import SparqWire

@testable import SparqFront
@testable import SparqFrontCore

/// A front without sockets: its node's state, its forwarder and its two connections to the broker are a front's own, and so is its clock.
actor StormNode {
    private static let interval: Duration = .milliseconds(60)

    let id: String
    private var state: NodeState
    private let forwarder = Forwarder(ForwarderSettings())
    private let publisher: Publisher
    private let consumer: Consumer
    private let inbound: InboundPublisher
    private var tasks: [Task<Void, Never>] = []
    /// When the lease, and the page of a reader, were asked for that have no answer yet.
    private var leaseAsked: ContinuousClock.Instant?
    private var readAsked: ContinuousClock.Instant?
    private(set) var slowestLease: Duration = .zero
    private(set) var slowestRead: Duration = .zero
    /// How often the directory differed.
    private(set) var resyncs = 0

    init(id: String, stack: Stack) {
        self.id = id
        let topology = FrontTopology(names: stack.names, node: id, incarnation: "storm", queueExpiry: 600_000)
        state = NodeState(settings: NodeSettings(), shards: 1, version: Clock.wall() * 1000)
        publisher = Publisher(configuration: stack.amqp, topology: topology.publishing, logger: Stack.quiet)
        var consuming = topology.consuming(1)
        // Nobody takes it away.
        consuming.queues = topology.made(1).queues
        consumer = Consumer(
            configuration: stack.amqp,
            topology: consuming,
            queue: topology.queue(1),
            prefetch: 64,
            logger: Stack.quiet
        )
        inbound = InboundPublisher(publisher: publisher, exchange: stack.names.inbound, logger: Stack.quiet)
    }

    var topicCount: Int { state.topicCount }
    var asked: Int { state.counters.syncs }
    var isSettled: Bool { state.lease(incarnation: id, leaving: false).settled }

    func start(lease: Duration) {
        tasks = [
            Task { [publisher] in try? await publisher.run() },
            Task { [consumer] in try? await consumer.run() },
            Task { [forwarder, inbound] in await forwarder.run(inbound, undelivered: { _ in }, relieved: {}) },
            Task { [consumer] in
                while let batch = await consumer.nextBatch(), let last = batch.last {
                    deliver(batch.map(\.message.body))
                    consumer.ack(last.tag, multiple: true)
                }
            },
            Task {
                while (try? await Task.sleep(for: Self.interval)) != nil {
                    work { now, actions in state.tick(now: now, into: &actions) }
                }
            },
            Task {
                repeat { renew() } while (try? await Task.sleep(for: lease / 3)) != nil
            },
        ]
    }

    func stop() async {
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    /// Each topic gets a subscriber.
    func subscribe(_ topics: [String]) {
        work { now, actions in
            for topic in topics {
                let connection = ConnectionID.random(.socket, shard: 0).description
                let grant = Grant(topic: topic, cursor: 0, head: 0)
                state.deliver(.subscribe(connection: connection, grants: [grant]), now: now, into: &actions)
            }
        }
    }

    /// The node's queue is consumed again.
    func comeBack() {
        slowestLease = .zero
        slowestRead = .zero
        work { now, actions in state.accept(.resync, now: now, into: &actions) }
    }

    /// A subscriber that is behind asks for a page, where it has the last one.
    func read(_ topic: String) {
        slowestRead = max(slowestRead, readAsked.map { .now - $0 } ?? .zero)
        guard readAsked == nil else { return }
        readAsked = .now
        let request = ReadRequest(topic: topic, after: 0, connection: ConnectionID.random(.socket, shard: 0).description)
        forwarder.forward { $0.add(Envelope(node: id, at: Clock.wall(), request), member: nil) }
    }

    private func renew() {
        slowestLease = max(slowestLease, leaseAsked.map { .now - $0 } ?? .zero)
        leaseAsked = leaseAsked ?? .now
        let request = state.lease(incarnation: id, leaving: false)
        forwarder.forward { $0.add(Envelope(node: id, at: Clock.wall(), request), member: nil) }
    }

    private func deliver(_ bodies: [[UInt8]]) {
        work { now, actions in
            for line in bodies.flatMap({ NDJSON.lines($0) }) {
                guard let delivery = try? SparqWire.Delivery(line: line) else { continue }
                switch delivery {
                case .lease(let answer):
                    if answer == .resync { resyncs += 1 }
                    slowestLease = max(slowestLease, leaseAsked.map { .now - $0 } ?? .zero)
                    leaseAsked = nil
                case .page(let page) where page.connection != nil:
                    slowestRead = max(slowestRead, readAsked.map { .now - $0 } ?? .zero)
                    readAsked = nil
                default: break
                }
                state.deliver(delivery, now: now, into: &actions)
            }
        }
    }

    private func work(_ body: (_ now: Int, _ actions: inout NodeActions) -> Void) {
        let now = Clock.now()
        var actions = NodeActions(shards: 1)
        body(now, &actions)
        state.finish(now: now, into: &actions)
        let time = Clock.wall()
        forwarder.forward { batches in
            for request in actions.syncs { batches.add(Envelope(node: id, at: time, request), member: nil) }
            for request in actions.leaves { batches.add(Envelope(node: id, at: time, request), member: nil) }
        }
    }
}
