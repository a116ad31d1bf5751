import SparqWire

@testable import SparqFront
@testable import SparqFrontCore

/// A broker and workers in one: what a front publishes is answered by a closure.
final class FakeBroker: NodeBroker, BatchPublisher {
    typealias Worker = @Sendable (Envelope) -> [Delivery]

    private let worker: Worker
    private let readiness: FrontReadiness
    private let stream: AsyncStream<[UInt8]>
    private let continuation: AsyncStream<[UInt8]>.Continuation

    init(_ readiness: FrontReadiness, _ worker: @escaping Worker) {
        self.worker = worker
        self.readiness = readiness
        (stream, continuation) = AsyncStream.makeStream()
    }

    var inbound: any BatchPublisher { self }
    var executor: (any TaskExecutor)? { nil }

    func run() async throws {
        readiness.change {
            $0.isPublishing = true
            $0.isConsuming = true
        }
        try await Task.sleep(for: .seconds(3600))
    }

    func publish(_ body: [UInt8], lane: String) async -> BatchOutcome {
        let envelopes = NDJSON.lines(body).compactMap { try? Envelope(line: $0) }
        if envelopes.contains(where: { $0.type == "nobody" }) { return .returned }
        push(envelopes.flatMap(worker))
        return .taken
    }

    /// To the node's queue.
    func push(_ deliveries: [Delivery]) {
        guard !deliveries.isEmpty else { return }
        var writer = JSONWriter()
        for delivery in deliveries { delivery.encode(into: &writer) }
        continuation.yield(writer.bytes)
    }

    func deliver(to core: NodeCore) async {
        for await body in stream { await core.deliver([body]) }
    }
}
