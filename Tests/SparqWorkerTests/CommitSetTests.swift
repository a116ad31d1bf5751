import SparqWire
import Synchronization
import Testing

@testable import SparqWorker

@Suite struct CommitSetTests {
    private func run(_ connection: String, messages: Int, batch: InboundBatch) throws -> Run {
        let units = try (1...messages).map { ordinal in
            try Unit(
                envelope: envelope(connection: connection, ordinal: ordinal, id: "\(connection)-\(ordinal)"),
                effects: [.append(to: .room("a"), Note(n: 1))]
            )
        }
        return Run(units: units, batch: batch, delivered: nil)
    }

    private func doubtful(_ unit: Unit) -> Unit {
        let changes = Changes([.subscribe("room:a", from: nil)])
        return Repeats.Known(mismatch: false, changes: changes).unit(insteadOf: Unit(envelope: unit.envelope))
    }

    /// Any repeats wait for policies: their runs stay as they are and go on whole and in order, the others go on at once.
    @Test(arguments: UInt64(1)...50) func runsThatWaitForPoliciesTakeNoPartAnyMore(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let acks = Mutex<[Bool]>([])
        let batch = InboundBatch { ack in acks.withLock { $0.append(ack) } }
        let runs = try (0..<Int.random(in: 1...6, using: &generator)).map { index in
            batch.begin()
            // As far as acks go they are all of one batch.
            let own = InboundBatch(attempt: 10 + index) { _ in batch.finish() }
            return try run("c\(index)", messages: Int.random(in: 1...4, using: &generator), batch: own)
        }
        var set = CommitSet(runs)
        let all = set.pending
        #expect(all == Array(set.units.indices))
        let repeats = all.filter { _ in Int.random(in: 0..<5, using: &generator) == 0 }
        let slow = Set(repeats.compactMap { set.units[$0].envelope.connection })
        for place in repeats { set.replace(place, with: doubtful(set.units[place])) }
        #expect(set.pending.allSatisfy { !slow.contains(set.units[$0].envelope.connection ?? "") })
        #expect(all.allSatisfy { set.units[$0].envelope.connection == "c\(set.attempt(of: $0) - 10)" })
        #expect(Set(set.held.map { $0.units[0].envelope.connection }) == Set(slow.map(Optional.some)))
        #expect(set.settled.tickets.count + set.held.count == runs.count)
        let order = (set.held.map(\.units) + [set.settled.units]).flatMap { $0 }.map(\.envelope)
        #expect(Dictionary(grouping: order, by: \.connection) == Dictionary(grouping: set.units.map(\.envelope), by: \.connection))
        // Those that wait are not acked.
        for ticket in set.settled.tickets { ticket.finish() }
        batch.finish()
        #expect(acks.withLock { $0 } == (slow.isEmpty ? [true] : []))
        for run in set.held { run.ticket.finish() }
        #expect(acks.withLock { $0 } == [true])
    }

    @Test func aRepeatThatNeedsNobodysWordHoldsNothingUp() throws {
        let batch = InboundBatch { _ in }
        var set = CommitSet([try run("c1", messages: 2, batch: batch)])
        let changes = Changes([.subscribe("room:a", from: nil)])
        let wanted = try Unit(envelope: set.units[0].envelope, effects: [.subscribe(.room("a"))])
        set.replace(0, with: Repeats.Known(mismatch: false, changes: changes).unit(insteadOf: wanted))
        #expect(set.held.isEmpty && set.pending == [1])
        #expect(set.settled.units.first?.subscriptions.map(\.topic) == ["room:a"])
        set.replace(1, with: Repeats.Known(mismatch: true, changes: changes).unit(insteadOf: set.units[1]))
        #expect(set.held.isEmpty && set.pending.isEmpty)
    }
}
