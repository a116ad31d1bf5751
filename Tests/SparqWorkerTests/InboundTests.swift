import Logging
import SparqWire
import Synchronization
import Testing

@testable import SparqPostgres
@testable import SparqWorker

@Suite struct InboundTests {
    @Test func aBatchIsAckedOnceAndLast() {
        let acks = Mutex<[Bool]>([])
        let batch = InboundBatch { ack in acks.withLock { $0.append(ack) } }
        for _ in 0..<2 { batch.begin() }
        for _ in 0..<2 { batch.finish() }
        #expect(acks.withLock { $0.isEmpty })
        batch.finish()
        #expect(acks.withLock { $0 } == [true])
    }

    /// What goes to the nodes' lane must not fall to handlers, which would refuse it.
    @Test func nodeRequestsKnowAllThatNodesSend() throws {
        let batch = InboundBatch { _ in }
        for type in SystemType.ofNodes {
            // A type that is known fails for its fields, which are missing here, or for none.
            do { #expect(try NodeRequest(envelope(type, connection: nil), batch: batch) != nil, "\(type)") } catch {}
        }
        #expect(try NodeRequest(envelope("post"), batch: batch) == nil)
    }

    @Test func anAbandonedBatchIsNeverAcked() {
        let acks = Mutex<[Bool]>([])
        let batch = InboundBatch { ack in acks.withLock { $0.append(ack) } }
        batch.begin()
        batch.abandon()
        #expect(acks.withLock { $0.isEmpty } && batch.isAbandoned)
        batch.finish()
        #expect(acks.withLock { $0 } == [false])
    }

    @Test(.timeLimit(.minutes(1))) func whoWaitsForTheBrokerCanBeCancelled() async {
        let latch = Latch(open: 1)
        let waiting = Task { await latch.wait() }
        waiting.cancel()
        await waiting.value
    }

    @Test func whatIsLostIsNotTriedAgain() async {
        let isLost = Mutex(false)
        let lost = InboundBatch(isLost: { isLost.withLock { $0 } }) { _ in }
        let other = InboundBatch { _ in }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let retry = DatabaseRetry(logger: logger, health: DatabaseHealth(logger: logger), patience: .seconds(30)).during([other, lost])
        var tries = 0
        await #expect(throws: CancellationError.self) {
            try await retry {
                tries += 1
                if tries == 2 { isLost.withLock { $0 = true } }
                throw PostgresError(.connectionFailed, "away")
            }
        }
        #expect(tries == 2)
    }

    /// Parts begin and end in any order: the ack comes exactly when the last has ended, and only where none was abandoned.
    @Test(arguments: UInt64(1)...50) func randomOrdersAckExactlyOnce(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let answers = Mutex<[Bool]>([])
        let batch = InboundBatch { ack in answers.withLock { $0.append(ack) } }
        var open = 1
        var isAbandoned = false
        while open > 0 {
            #expect(answers.withLock { $0.isEmpty })
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<4 where open < 20:
                batch.begin()
                open += 1
            case 4 where seed.isMultiple(of: 3):
                batch.abandon()
                isAbandoned = true
                open -= 1
            default:
                batch.finish()
                open -= 1
            }
        }
        #expect(answers.withLock { $0 } == [!isAbandoned])
    }

    @Test(arguments: UInt64(1)...20) func groupsKeepEachConnectionsOrder(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let envelopes = (0..<100).map { index in
            let connection = Int.random(in: 0..<8, using: &generator)
            return envelope(connection: connection == 0 ? nil : "c\(connection)", ordinal: index)
        }
        let groups = ConnectionGroups.make(envelopes)
        #expect(groups.map(\.count).reduce(0, +) == 100)
        for group in groups {
            #expect(Set(group.map(\.connection)).count == 1)
            #expect(group.map(\.ordinal) == group.map(\.ordinal).sorted())
            if group[0].connection == nil { #expect(group.count == 1) }
        }
        #expect(Set(groups.compactMap { $0[0].connection }).count == groups.count { $0[0].connection != nil })
    }

    @Test func whatComesTogetherTravelsTogetherUpToTheLimits() async {
        let queue = BatchQueue<Int>(countLimit: 3, weightLimit: 10)
        for element in 1...5 { #expect(queue.add(element, weight: element == 5 ? 100 : 1)) }
        #expect(await queue.next() == [1, 2, 3])
        #expect(await queue.next() == [4])
        #expect(await queue.next() == [5])
        queue.close()
        #expect(!queue.add(6))
        #expect(await queue.next() == nil)
    }

    @Test func bulkGoesBehindTheOthersPieceByPieceAndNeverWaitsForEver() async {
        let queue = BatchQueue<Int>(countLimit: 2, weightLimit: 10, bulkLimit: 30)
        for element in 100...105 { #expect(queue.add(element, weight: 15, isBulk: true)) }
        #expect(await queue.next() == [100, 101])
        // More than the others can be through with.
        for element in 1...5 { #expect(queue.add(element)) }
        #expect(queue.first == 1)
        #expect(await queue.next() == [1, 2, 102, 103])
        #expect(queue.add(200, weight: 100, isBulk: true))
        #expect(await queue.next() == [3, 4, 104, 105])
        #expect(await queue.next() == [5, 200])
        #expect(queue.first == nil)
    }

    /// A lease that waits here is not taken for one that was not sent.
    @Test func leasesThatWaitKeepTheReaperFromItsWork() async throws {
        let queue = BatchQueue<NodeRequest>(countLimit: 10, weightLimit: 10)
        let watch = LeaseWatch(queue: queue, lease: .seconds(15))
        let fields = #"{"incarnation":"i","version":1,"topicCount":0,"checksum":0,"settled":true,"leaving":false}"#
        let message = Envelope(
            node: "n1",
            connection: nil,
            ordinal: 0,
            user: nil,
            receivedAt: 0,
            type: SystemType.lease,
            id: nil,
            message: Array(fields.utf8)[...]
        )
        let request = try #require(try NodeRequest(message, batch: InboundBatch { _ in }))
        let start = request.arrived
        #expect(watch.isCalm(for: .seconds(15), now: start + .seconds(100)))
        #expect(queue.add(request))
        #expect(watch.isCalm(for: .seconds(15), now: start + .seconds(4)))
        #expect(!watch.isCalm(for: .seconds(15), now: start + .seconds(6)))
        // Taken, and still not heard.
        watch.begin(try #require(await queue.next()))
        #expect(!watch.isCalm(for: .seconds(15), now: start + .seconds(20)))
        watch.end(now: start + .seconds(20))
        // The others that were sent meanwhile must be heard too.
        #expect(!watch.isCalm(for: .seconds(15), now: start + .seconds(34)))
        #expect(watch.isCalm(for: .seconds(15), now: start + .seconds(36)))
    }

    @Test func aWaitingStageIsWoken() async {
        let queue = BatchQueue<Int>(countLimit: 3, weightLimit: 10)
        async let batch = queue.next()
        #expect(queue.add(1))
        #expect(await batch == [1])
        async let end = queue.next()
        queue.close()
        #expect(await end == nil)
    }

    @Test func retriesGrowAndEnd() {
        let schedule = RetrySchedule(delays: [.seconds(1), .seconds(5)])
        #expect((0...4).map { schedule.delay(afterAttempt: $0) } == [.seconds(1), .seconds(1), .seconds(5), nil, nil])
    }
}
