public import AMQP
import DequeModule
import Glibc

/// The yardstick: what RabbitMQ itself carries on Sparq's own kinds of queues, without Sparq.
///
/// Persistent messages to a quorum queue, confirmed; consumed; published to a classic queue by way of exchange to exchange, confirmed, and
/// only then acknowledged; consumed there, acknowledged. One thread for all of it, straight on librabbitmq.
public struct BrokerPipeline: Sendable {
    var broker: AMQPConfiguration
    /// Messages in each AMQP message.
    var batch: Int
    var settings: LoadSettings

    /// The pace of `settings` must be a window, of AMQP messages.
    public init(broker: AMQPConfiguration, batch: Int, settings: LoadSettings) {
        self.broker = broker
        self.batch = batch
        self.settings = settings
    }

    /// Measures.
    public func run() async throws -> BenchResult {
        let tag = String(UInt32.random(in: .min ... .max), radix: 36)
        let names = Names(tag)
        let session = try await AMQPSession(broker)
        defer { session.close() }
        try await session.declare(names.topology)
        let outcome = Result { try measure(names) }
        try await session.deleteQueue(names.work)
        try await session.deleteQueue(names.node)
        for exchange in [names.inbound, names.delivery, names.node] { try await session.deleteExchange(exchange) }
        return try outcome.get()
    }

    private struct Names {
        let inbound, delivery, work, node: String

        init(_ tag: String) {
            inbound = "bench.\(tag).inbound"
            delivery = "bench.\(tag).delivery"
            work = "bench.\(tag).work"
            node = "bench.\(tag).node"
        }

        var topology: Topology {
            Topology(
                exchanges: [Exchange(inbound, kind: .direct), Exchange(delivery, kind: .direct), Exchange(node, kind: .fanout)],
                queues: [
                    Queue(work, arguments: ["x-queue-type": "quorum", "x-delivery-limit": 20]),
                    Queue(node, arguments: ["x-queue-type": "classic", "x-expires": .int64(75_000)]),
                ],
                bindings: [
                    Binding(from: inbound, to: .queue(work), routingKey: "default"),
                    Binding(from: node, to: .queue(node)),
                    Binding(from: delivery, to: .exchange(node), routingKey: "node"),
                ]
            )
        }
    }

    private func measure(_ names: Names) throws -> BenchResult {
        guard case .window(let window) = settings.pace else { throw BenchError("the broker's yardstick takes a window") }
        var parameters = settings.parameters
        parameters["batch"] = "\(batch)"
        var result = BenchResult("broker", parameters)
        let pipeline = try BarePipeline(broker, names.inbound, names.delivery, names.work, names.node)
        let body = [UInt8](repeating: 0x78, count: settings.bytes * batch)
        let start = nanoseconds()
        let measuring = start + Int(settings.warmUp * 1e9)
        let end = measuring + Int(settings.seconds * 1e9)
        var latencies = LatencyRecorder()
        var meter: ProcessorMeter?
        var progress = Progress(isShown: settings.showsProgress, at: start)
        var count = 0
        var began = start
        while true {
            let now = nanoseconds()
            if now >= end { break }
            if meter == nil, now >= measuring {
                meter = ProcessorMeter(settings.processes)
                began = now
            }
            progress.show(now, count: count, p50: { latencies.summary?.p50 })
            try pipeline.turn(body, window: window) { sent in
                guard meter != nil else { return }
                count += batch
                latencies.record(nanoseconds() - sent)
            }
        }
        result.seconds = Double(nanoseconds() - began) / 1e9
        result.count = count
        result.rate = Double(count) / result.seconds
        result.latency = latencies.summary
        meter?.report(into: &result)
        result.faults.lost = try pipeline.drain()
        return result
    }
}

/// The pipeline's four connections on one thread.
private final class BarePipeline {
    private let source: BareLink
    private let taker: BareLink
    private let forwarder: BareLink
    private let sink: BareLink
    private let inbound, delivery: [UInt8]
    private let key = Array("default".utf8)
    private let node = Array("node".utf8)
    private var sentAt: Deque<Int> = []
    private var unconfirmed = 0
    /// Tags of deliveries whose forward is not confirmed, in order; the forward's own number is its place.
    private var forwards: Deque<(tag: UInt64, isConfirmed: Bool)> = []
    private var firstForward: UInt64 = 1
    private var lastBody: [UInt8] = []

    init(_ broker: AMQPConfiguration, _ inbound: String, _ delivery: String, _ work: String, _ node: String) throws {
        source = try BareLink(broker)
        taker = try BareLink(broker)
        forwarder = try BareLink(broker)
        sink = try BareLink(broker)
        self.inbound = Array(inbound.utf8)
        self.delivery = Array(delivery.utf8)
        try source.selectConfirms()
        try forwarder.selectConfirms()
        try taker.consume(work, prefetch: 512)
        try sink.consume(node, prefetch: 512)
    }

    /// Fills the window, and does what there is to do; waits where there is nothing.
    func turn(_ body: [UInt8], window: Int, _ arrived: (_ sentAt: Int) -> Void) throws {
        lastBody = body
        if sentAt.count < window {
            source.cork(true)
            while sentAt.count < window {
                sentAt.append(nanoseconds())
                unconfirmed += 1
                try inbound.withUnsafeBytes { exchange in try key.withUnsafeBytes { try source.publish(body, exchange: exchange, key: $0) }
                }
            }
            source.cork(false)
        }
        if try !work(body, arrived) { waitForInput() }
    }

    /// Waits until the broker says something on one of the connections, a tenth of a second at most.
    private func waitForInput() {
        var entries = [source, taker, forwarder, sink].map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        poll(&entries, 4, 100)
    }

    /// Waits until all that was sent has arrived; returns how much has not.
    func drain() throws -> Int {
        let end = nanoseconds() + 5_000_000_000
        while !sentAt.isEmpty, nanoseconds() < end {
            if try !work(lastBody, { _ in }) { waitForInput() }
        }
        return sentAt.count
    }

    private func work(_ body: [UInt8], _ arrived: (_ sentAt: Int) -> Void) throws -> Bool {
        var isBusy = false
        while let event = try source.next() {
            if case .confirm = event { isBusy = true }
        }
        var taken: [UInt64] = []
        while let event = try taker.next() { if case .delivery(let tag) = event { taken.append(tag) } }
        if !taken.isEmpty {
            isBusy = true
            forwarder.cork(true)
            for tag in taken {
                forwards.append((tag, false))
                try delivery.withUnsafeBytes { exchange in
                    try node.withUnsafeBytes { try forwarder.publish(body, exchange: exchange, key: $0) }
                }
            }
            forwarder.cork(false)
        }
        while let event = try forwarder.next() {
            guard case .confirm(let tag, let multiple) = event else { continue }
            isBusy = true
            let last = Int(tag - firstForward)
            for index in (multiple ? 0 : last)...last { forwards[index].isConfirmed = true }
        }
        var acked: UInt64?
        while let first = forwards.first, first.isConfirmed {
            acked = first.tag
            forwards.removeFirst()
            firstForward += 1
        }
        if let acked { try taker.ack(acked, multiple: true) }
        var last: UInt64?
        while let event = try sink.next() {
            guard case .delivery(let tag) = event else { continue }
            last = tag
            if let sent = sentAt.popFirst() { arrived(sent) }
        }
        if let last {
            isBusy = true
            try sink.ack(last, multiple: true)
        }
        return isBusy
    }
}
