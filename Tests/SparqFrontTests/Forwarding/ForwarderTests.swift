import NIOConcurrencyHelpers
import SparqWire
import Testing

@testable import SparqFront
@testable import SparqFrontCore

@Suite(.timeLimit(.minutes(1))) struct ForwarderTests {
    /// Publishes when it is told to.
    private final class SlowPublisher: BatchPublisher {
        let executor: (any TaskExecutor)? = nil
        private let waiting = NIOLockedValueBox<[(body: [UInt8], continuation: CheckedContinuation<BatchOutcome, Never>)]>([])

        func publish(_ body: [UInt8], lane: String) async -> BatchOutcome {
            await withCheckedContinuation { continuation in waiting.withLockedValue { $0.append((body, continuation)) } }
        }

        func wait(for count: Int) async throws {
            while waiting.withLockedValue({ $0.count }) < count { try await Task.sleep(for: .milliseconds(1)) }
        }

        func release(_ outcome: BatchOutcome = .taken) -> [UInt8] {
            let first = waiting.withLockedValue { $0.removeFirst() }
            first.continuation.resume(returning: outcome)
            return first.body
        }
    }

    private func add(_ forwarder: Forwarder, _ ordinals: ClosedRange<Int>, size: Int = 10, deadline: Int = .max, isCopy: Bool = false) {
        let message = Array("{\"type\":\"t\",\"fill\":\"\(String(repeating: "x", count: size))\"}".utf8)
        forwarder.forward { batches in
            for ordinal in ordinals {
                let id = ConnectionID(kind: .socket, shard: 0, number: 7)
                batches.add(
                    Envelope(
                        node: "f",
                        connection: id.description,
                        ordinal: ordinal,
                        user: "u",
                        receivedAt: 0,
                        type: "t",
                        id: nil,
                        message: message[...]
                    ),
                    member: Batch.Member(connection: id, ordinal: ordinal, deadline: deadline, isCopy: isCopy)
                )
            }
        }
    }

    @Test func leavesAtOnceAndGathersWhileBusy() async throws {
        let publisher = SlowPublisher()
        let forwarder = Forwarder(ForwarderSettings(unconfirmed: 2))
        let failed = NIOLockedValueBox<[Int]>([])
        async let run: Void = forwarder.run(
            publisher,
            undelivered: { members in failed.withLockedValue { $0 += members.map(\.ordinal) } },
            relieved: {}
        )
        add(forwarder, 1...1)
        try await publisher.wait(for: 1)
        add(forwarder, 2...2)
        try await publisher.wait(for: 2)
        for ordinal in 3...40 { add(forwarder, ordinal...ordinal, deadline: .max - 1) }
        // Whatever becomes of a copy says nothing of the first, which workers may have.
        add(forwarder, 41...41, deadline: .max - 1, isCopy: true)
        #expect(NDJSON.lines(publisher.release()).count == 1)
        try await publisher.wait(for: 2)
        _ = publisher.release()
        let gathered = publisher.release(.returned)
        #expect(NDJSON.lines(gathered).count == 39)
        forwarder.finish()
        await run
        #expect(failed.withLockedValue { $0 } == Array(3...40))
    }

    /// Its senders were told that it is not to be had: it must have no effect.
    @Test func whatTimedOutWithoutABrokerIsNotPublished() async throws {
        let publisher = SlowPublisher()
        let forwarder = Forwarder(ForwarderSettings(unconfirmed: 1))
        let (isOpen, looks) = (NIOLockedValueBox(false), NIOLockedValueBox(0))
        let failed = NIOLockedValueBox<[Int]>([])
        async let run: Void = forwarder.run(
            publisher,
            isOpen: {
                looks.withLockedValue { $0 += 1 }
                return isOpen.withLockedValue { $0 }
            },
            undelivered: { members in failed.withLockedValue { $0 += members.map(\.ordinal) } },
            relieved: {}
        )
        let soon = Clock.now() + 50_000_000
        add(forwarder, 1...2, deadline: soon)
        // The lane has that batch in its hands.
        while looks.withLockedValue({ $0 }) == 0 { try await Task.sleep(for: .milliseconds(1)) }
        add(forwarder, 3...4, deadline: soon)
        add(forwarder, 5...6)
        while Clock.now() < soon { try await Task.sleep(for: .milliseconds(5)) }
        isOpen.withLockedValue { $0 = true }
        try await publisher.wait(for: 1)
        let published = try NDJSON.lines(publisher.release()).map { try Envelope(line: $0).ordinal }
        #expect(published == [5, 6])
        forwarder.finish()
        await run
        #expect(failed.withLockedValue { $0 } == [1, 2, 3, 4])
    }

    /// A broker that is there and cannot take a batch, as just after its start. Ends of connections must reach the workers all the same.
    @Test func whatTheBrokerDidNotTakeIsPublishedAgainBeforeWhatIsBehindIt() async throws {
        let publisher = SlowPublisher()
        let forwarder = Forwarder(ForwarderSettings(unconfirmed: 1, firstPause: .milliseconds(1), longestPause: .milliseconds(2)))
        let failed = NIOLockedValueBox<[Int]>([])
        async let run: Void = forwarder.run(
            publisher,
            undelivered: { members in failed.withLockedValue { $0 += members.map(\.ordinal) } },
            relieved: {}
        )
        let soon = Clock.now() + 1_000_000_000
        add(forwarder, 1...2)
        try await publisher.wait(for: 1)
        let first = publisher.release(.failed)
        add(forwarder, 3...4, deadline: soon)
        add(forwarder, 5...5)
        try await publisher.wait(for: 1)
        #expect(publisher.release(.failed) == first)
        try await publisher.wait(for: 1)
        #expect(publisher.release() == first)
        func ordinals(_ body: [UInt8]) throws -> [Int] { try NDJSON.lines(body).map { try Envelope(line: $0).ordinal } }
        try await publisher.wait(for: 1)
        // What is over its deadline meanwhile stays behind.
        while Clock.now() < soon { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try ordinals(publisher.release(.failed)) == [3, 4, 5])
        try await publisher.wait(for: 1)
        #expect(try ordinals(publisher.release()) == [5])
        #expect(failed.withLockedValue { $0 } == [3, 4])
        forwarder.finish()
        await run
    }

    @Test func endsOfConnectionsWaitForAQueueAndNothingElseDoes() async throws {
        let publisher = SlowPublisher()
        let forwarder = Forwarder(ForwarderSettings(unconfirmed: 1, firstPause: .milliseconds(1), longestPause: .milliseconds(2)))
        let failed = NIOLockedValueBox<[Int]>([])
        async let run: Void = forwarder.run(
            publisher,
            undelivered: { members in failed.withLockedValue { $0 += members.map(\.ordinal) } },
            relieved: {}
        )
        add(forwarder, 1...1)
        try await publisher.wait(for: 1)
        add(forwarder, 2...2, deadline: .max - 1)
        add(forwarder, 3...3)
        _ = publisher.release()
        try await publisher.wait(for: 1)
        #expect(NDJSON.lines(publisher.release(.returned)).count == 2)
        try await publisher.wait(for: 1)
        #expect(failed.withLockedValue { $0 } == [2])
        #expect(try NDJSON.lines(publisher.release()).map { try Envelope(line: $0).ordinal } == [3])
        forwarder.finish()
        await run
        #expect(failed.withLockedValue { $0 } == [2])
    }

    @Test func boundedWithRelief() async throws {
        let publisher = SlowPublisher()
        let forwarder = Forwarder(ForwarderSettings(unconfirmed: 1, waitingBytes: 20_000))
        let reliefs = NIOLockedValueBox(0)
        async let run: Void = forwarder.run(publisher, undelivered: { _ in }, relieved: { reliefs.withLockedValue { $0 += 1 } })
        add(forwarder, 1...1)
        try await publisher.wait(for: 1)
        #expect(forwarder.crowded == [])
        add(forwarder, 2...30, size: 1000)
        #expect(forwarder.crowded == [0] && forwarder.isCrowded("t") && !forwarder.isCrowded("$lease"))
        _ = publisher.release()
        try await publisher.wait(for: 1)
        #expect(forwarder.crowded == [])
        #expect(reliefs.withLockedValue { $0 } == 1)
        forwarder.finish()
        _ = publisher.release()
        await run
    }

    /// As RabbitMQ does with what is larger than its `max_message_size`.
    @Test func whatTheBrokerNeverTakesIsFinalForThatMessageAlone() async throws {
        struct Strict: BatchPublisher {
            let executor: (any TaskExecutor)? = nil
            let taken = NIOLockedValueBox<[Int]>([])
            func publish(_ body: [UInt8], lane: String) async -> BatchOutcome {
                guard body.count <= 2000 else { return .refused }
                let ordinals = NDJSON.lines(body).compactMap { try? Envelope(line: $0).ordinal }
                taken.withLockedValue { $0 += ordinals }
                return .taken
            }
        }
        let publisher = Strict()
        let forwarder = Forwarder(ForwarderSettings(unconfirmed: 1))
        let (refused, undelivered) = (NIOLockedValueBox<[Int]>([]), NIOLockedValueBox<[Int]>([]))
        forwarder.forward { batches in
            for number in 1...21 {
                let id = ConnectionID(kind: .socket, shard: 0, number: UInt64(number <= 17 ? number : 18))
                let fill = String(repeating: "x", count: number == 7 || number == 18 ? 5000 : number > 18 ? 900 : 10)
                let envelope = Envelope(
                    node: "f",
                    connection: id.description,
                    ordinal: number,
                    user: nil,
                    receivedAt: 0,
                    type: "t",
                    id: nil,
                    message: Array("{\"fill\":\"\(fill)\"}".utf8)[...]
                )
                batches.add(
                    envelope,
                    member: number == 5 ? nil : Batch.Member(connection: id, ordinal: number, deadline: number > 17 ? .max - 1 : .max)
                )
            }
        }
        forwarder.finish()
        await forwarder.run(
            publisher,
            undelivered: { members in undelivered.withLockedValue { $0 += members.map(\.ordinal) } },
            refused: { members in refused.withLockedValue { $0 += members.map(\.ordinal) } },
            relieved: {}
        )
        #expect(refused.withLockedValue { $0 } == [7, 18])
        // Of one connection's messages that do not fit together the first ones go: the others must not overtake them.
        #expect(publisher.taken.withLockedValue { $0 } == Array(1...19).filter { $0 != 7 && $0 != 18 })
        #expect(undelivered.withLockedValue { $0 } == [20, 21])
    }

    @Test func cancellationEndsIt() async {
        let forwarder = Forwarder(ForwarderSettings())
        let task = Task { await forwarder.run(SlowPublisher(), undelivered: { _ in }, relieved: {}) }
        task.cancel()
        await task.value
    }
}
