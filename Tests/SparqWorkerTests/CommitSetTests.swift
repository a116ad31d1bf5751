import SparqWire
import Synchronization
import Testing

@testable import SparqWorker

@Suite struct CommitSetTests {
    private func group(_ connection: String, messages: Int, batch: InboundBatch) throws -> CommitGroup {
        let outcomes = try (1...messages).map { ordinal in
            try MessageOutcome(
                of: envelope(connection: connection, ordinal: ordinal, id: "\(connection)-\(ordinal)"),
                effects: [.append(to: .room("a"), Note(n: 1))]
            )
        }
        return CommitGroup(outcomes, of: batch)
    }

    private func doubtful(_ outcome: MessageOutcome) -> MessageOutcome {
        let changes = Changes([.subscribe("room:a", from: nil)])
        return Repeats.Known(mismatch: false, changes: changes).outcome(of: outcome.envelope)
    }

    /// Any repeats wait for policies: their groups stay as they are and go on whole and in order, the others go on at once.
    @Test(arguments: UInt64(1)...50) func groupsThatWaitForPoliciesTakeNoPartAnyMore(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let acks = Mutex<[Bool]>([])
        let batch = InboundBatch { ack in acks.withLock { $0.append(ack) } }
        let groups = try (0..<Int.random(in: 1...6, using: &generator)).map { index in
            batch.begin()
            // As far as acks go they are all of one batch.
            let own = InboundBatch(attempt: 10 + index) { _ in batch.finish() }
            return try group("c\(index)", messages: Int.random(in: 1...4, using: &generator), batch: own)
        }
        var set = CommitSet(groups)
        let all = set.pending
        #expect(all == Array(set.outcomes.indices))
        let repeats = all.filter { _ in Int.random(in: 0..<5, using: &generator) == 0 }
        let slow = Set(repeats.compactMap { set.outcomes[$0].envelope.connection })
        for place in repeats { set.replace(place, with: doubtful(set.outcomes[place])) }
        #expect(set.pending.allSatisfy { !slow.contains(set.outcomes[$0].envelope.connection ?? "") })
        #expect(all.allSatisfy { set.outcomes[$0].envelope.connection == "c\(set.attempt(of: $0) - 10)" })
        #expect(Set(set.held.map { $0.outcomes[0].envelope.connection }) == Set(slow.map(Optional.some)))
        set.committed(set.handled(set.pending).map { CommittedMessage($0.rest) }, at: set.pending)
        #expect(set.pending.isEmpty)
        #expect(set.settled.completions.count + set.held.count == groups.count)
        let order = set.held.flatMap { $0.outcomes.map(\.envelope) } + set.settled.messages.map(\.envelope)
        #expect(Dictionary(grouping: order, by: \.connection) == Dictionary(grouping: set.outcomes.map(\.envelope), by: \.connection))
        // Those that wait are not acked.
        for completion in set.settled.completions { completion.finish() }
        batch.finish()
        #expect(acks.withLock { $0 } == (slow.isEmpty ? [true] : []))
        for group in set.held { group.completion.finish() }
        #expect(acks.withLock { $0 } == [true])
    }

    @Test func aRepeatThatNeedsNobodysWordHoldsNothingUp() throws {
        let batch = InboundBatch { _ in }
        var set = CommitSet([try group("c1", messages: 2, batch: batch)])
        let changes = Changes([.subscribe("room:a", from: nil)])
        let wanted = try HandledMessage(set.outcomes[0].envelope, effects: [.subscribe(.room("a"))])
        set.replace(0, with: Repeats.Known(mismatch: false, changes: changes).outcome(insteadOf: wanted))
        #expect(set.held.isEmpty && set.pending == [1])
        let handled = try #require(set.handled([1]).first)
        set.replace(1, with: Repeats.Known(mismatch: true, changes: changes).outcome(insteadOf: handled))
        #expect(set.held.isEmpty && set.pending.isEmpty)
        guard case .committed(let message)? = set.settled.messages.first else { return #expect(Bool(false)) }
        #expect(message.rest.subscriptions.map(\.topic) == ["room:a"])
    }
}
