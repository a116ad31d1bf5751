/// Some messages of one connection, in order, that are committed and delivered together.
struct CommitGroup: Sendable {
    var outcomes: [MessageOutcome]
    /// The AMQP message that they came in; one part of it is open for them.
    let batch: InboundBatch
    /// Ended when all of it is published and confirmed, or given up. Ends the batch's part.
    let completion: Completion

    /// - Parameter latch: Finished together with the group.
    init(_ outcomes: [MessageOutcome], of batch: InboundBatch, latch: Latch? = nil) {
        self.outcomes = outcomes
        self.batch = batch
        completion = batch.completion(with: latch)
    }

    var weight: Int { outcomes.reduce(0) { $0 + $1.weight } }

    /// Whether policies must be asked before it can go on.
    var waitsForPolicies: Bool {
        outcomes.contains { if case .repeated = $0 { true } else { false } }
    }
}

extension BatchQueue<CommitGroup> {
    /// False where nobody will take it.
    func add(_ group: CommitGroup) -> Bool { add(group, count: group.outcomes.count, weight: group.weight) }
}
