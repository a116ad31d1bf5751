import Logging
import SparqPostgres
import SparqWire

/// Serves what nodes ask by themselves: joins, leaves, pages, leases; set-based, for as many as are there.
struct NodeStage: Sendable {
    let queue: BatchQueue<NodeRequest>
    let pool: PostgresPool
    let retry: DatabaseRetry
    let failed: FailedMessages
    let outbox: Outbox
    let notices: PresenceNotices
    let leases: LeaseWatch
    let leaseSeconds: Int
    let deliveryBytes: Int
    let logger: Logger

    /// Works until the queue is closed and empty. One task does so.
    func run() async {
        // Beside the others: what the server fails over holds up no lease.
        await withDiscardingTaskGroup { group in
            while let requests = await queue.next() {
                leases.begin(requests.filter { !$0.isBulk })
                for request in await serve(requests, .ownAtFirst) {
                    group.addTask(executorPreference: globalConcurrentExecutor) { _ = await serve([request], .own, isRepeat: true) }
                }
                leases.end()
            }
        }
    }

    /// - Parameter isRepeat: Whether some of it may have been done before, and nobody been told.
    /// - Returns: Those that the server fails over at their first try.
    private func serve(_ given: [NodeRequest], _ asked: AskedOfDatabase, isRepeat: Bool = false) async -> [NodeRequest] {
        let requests = given.filter { request in
            guard request.batch.isLost else { return true }
            request.batch.abandon()
            return false
        }
        if requests.isEmpty { return [] }
        let retry = retry.during(requests.map(\.batch))
        do {
            let plan = NodePlan(requests)
            let statements = plan.statements(leaseSeconds: leaseSeconds)
            var tries = 0
            let outcome = try await retry(asked) {
                tries += 1
                // All of them can be repeated without harm.
                let results = try await pool.pipeline(statements)
                return try plan.outcome(try results.map { try $0.get() })
            }
            let isFirst = tries == 1 && !isRepeat && !requests.contains { $0.batch.isRedelivered }
            tell(plan.users(written: isFirst ? outcome.written : nil), of: requests)
            var delivery = DeliveryPlan(limit: deliveryBytes)
            for answer in outcome.answers { delivery.add(answer.delivery, size: answer.size, to: answer.node) }
            outbox.add(delivery, requests.map { $0.batch.completion(with: nil) })
        } catch let error as PostgresError where error.code != .poolClosed && !Task.isCancelled {
            return await isolate(requests, asked, error)
        } catch {
            for request in requests { request.batch.abandon() }
        }
        return []
    }

    /// After the commit: whoever looks then sees it.
    private func tell(_ users: [String], of requests: [NodeRequest]) {
        if users.isEmpty { return }
        notices.publish(users, from: requests[0].envelope.node, of: requests.filter(\.changesDirectory).map(\.batch))
    }

    private func isolate(_ requests: [NodeRequest], _ asked: AskedOfDatabase, _ error: PostgresError) async -> [NodeRequest] {
        if requests.count > 1 {
            var doubtful: [NodeRequest] = []
            for request in requests { doubtful += await serve([request], asked, isRepeat: true) }
            return doubtful
        }
        if asked == .ownAtFirst && error.cause == .defect { return requests }
        for request in requests {
            // Not its fault, as far as one can tell: others may have more luck with it, and its node asks again.
            if error.mayPass {
                request.batch.abandon()
                continue
            }
            logger.error("a node's request failed", metadata: failed.metadata(request.envelope, error))
            let fate = await failed.bury(request.envelope, attempts: 1, .node, error)
            if fate == .dead { request.batch.finish() } else { request.batch.abandon() }
        }
        return []
    }
}
