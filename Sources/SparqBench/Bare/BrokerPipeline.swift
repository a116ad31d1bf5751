public import SparqAMQP
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
        let pipeline = try BarePipeline(
            broker,
            names.inbound,
            names.delivery,
            names.work,
            names.node,
            body: [UInt8](repeating: 0x78, count: settings.bytes * batch)
        )
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
            try pipeline.turn(window: window) { sent in
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
        result.faults = try pipeline.drain()
        return result
    }
}
