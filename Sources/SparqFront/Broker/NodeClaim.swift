import SparqAMQP
import FaultLog
import Logging
import SparqFrontCore

/// Keeps the claim to the node's id, on a connection of its own.
struct NodeClaim: Sendable {
    /// A broker node that is silent may hold what was on it until its cluster takes it for dead, after 75 s at most.
    private static let patience: Duration = .seconds(180)
    /// For so long a front that was refused the id leaves it to the other one, where the broker was away.
    private static let courtesy: Duration = .seconds(3)

    private let configuration: AMQPConfiguration
    private let queue: Queue
    private let node: String
    private let logger: Logger

    init(configuration: AMQPConfiguration, topology: FrontTopology, logger: Logger) {
        var configuration = configuration
        configuration.connectionName = "sparq front \(topology.node) claim"
        self.configuration = configuration
        queue = Queue(topology.claim, durable: false, exclusive: true)
        node = topology.node
        self.logger = logger
    }

    /// What becomes of the claim, until the reader's task is cancelled. Then it is given up.
    var changes: AsyncStream<Claim.Change> {
        AsyncStream { continuation in
            // Detached: a request to a silent broker takes its time, and nobody who ends waits for it.
            let looking = Task.detached { await look { continuation.yield($0) } }
            continuation.onTermination = { _ in looking.cancel() }
        }
    }

    private func look(_ report: (Claim.Change) -> Void) async {
        let faults = FaultLog(logger)
        var claim = Claim(patience: Self.patience)
        var session: AMQPSession?
        while !Task.isCancelled {
            let answer = await ask(&session, isSecond: claim.isRefused, faults)
            if let change = claim.answered(answer, now: .now) { report(change) }
            if answer == .refused {
                faults.occurred(
                    "refused",
                    level: .error,
                    "Another front has this node's id: give each front an id of its own (SPARQ_NODE_ID), or none at all. Until the other one is gone this one takes no clients"
                )
            } else if answer == .granted {
                faults.ended("refused", "The node's id is this front's")
            }
            try? await Task.sleep(for: claim.pause)
        }
        session?.close()
    }

    /// Asks on the session that stands, or on a new one.
    private func ask(_ session: inout AMQPSession?, isSecond: Bool, _ faults: FaultLog) async -> Claim.Answer {
        do throws(AMQPError) {
            let asked: AMQPSession
            if let session {
                asked = session
            } else {
                asked = try await AMQPSession(configuration)
                session = asked
                // Where the broker was away the other one is about to come back too.
                if isSecond { try? await Task.sleep(for: Self.courtesy) }
            }
            try await asked.declare(queue)
            faults.ended("unknown", "The broker tells whose the node's id is")
            return .granted
        } catch {
            if error.code == .channelClosed, error.replyCode == 405 { return .refused }
            session?.close()
            session = nil
            faults.occurred("unknown", "The broker does not tell whose the node's id is", metadata: ["error": "\(error)"])
            return .unknown
        }
    }
}
