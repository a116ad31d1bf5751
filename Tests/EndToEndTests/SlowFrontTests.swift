import SparqAMQP
import Foundation
import SparqClient
import SparqWire
import Testing

/// A front that lives and cannot keep up with what is for it.
@Suite(.timeLimit(.minutes(4))) struct SlowFrontTests {
    /// Deliveries that a front takes before it acknowledges any.
    private static let prefetch = 64
    /// As many messages as the queue holds, with the bytes below.
    private static let room = 64

    @Test func itsQueueIsBoundedAndWhatWasDroppedIsAskedForAgain() async throws {
        let settings = [
            "SPARQ_NODE_QUEUE_BYTES": "65536", "SPARQ_RATE": "10000", "SPARQ_BURST": "10000", "SPARQ_REPLY_DEADLINE_MS": "20000",
        ]
        try await Stack.with(fronts: 2, workers: 1, front: settings) { stack, fronts in
            let names = BrokerNames(prefix: stack.prefix)
            let (slow, other) = (fronts[0], fronts[1])
            let queue = try #require(slow.queues.last)
            let session = try await AMQPSession(try AMQPConfiguration(url: try TestEnvironment.amqpURL()))
            let ann = try await Person("ann", registeredAt: slow, fronts: [slow])
            let bob = try await Person("bob", registeredAt: other, fronts: [other])
            for person in [ann, bob] { try await person.subscribe("everyone") }
            try await ann.send("sendMessage", ["text": "before"])
            try await bob.awaitHeard("everyone", from: "ann", "before")

            // Its answer and its event come when the front does not look, and are the oldest of what there is no room for.
            #expect(try await stack.workers[0].stop() == 0)
            let during = Task { try await ann.send("sendMessage", ["text": "during"], deadline: .seconds(40)) }
            try await eventually("the message is with the broker") {
                try await session.inspect(queue: names.work(lane: LaneMap.defaultLane)).messageCount == 1
            }
            slow.process.signal(SIGSTOP)
            for _ in 0..<Self.prefetch { _ = try await session.publish(AMQPMessage(body: []), exchange: "", routingKey: queue) }
            try await stack.awaitReady(try await stack.startWorker())
            let began = ContinuousClock.now
            let count = 200
            for number in 0..<count { try await bob.send("sendMessage", ["text": "\(number)"]) }
            #expect(.now - began < .seconds(15), "nobody else waits for it")
            let held = try await session.inspect(queue: queue).messageCount
            #expect(held <= Self.room, "\(held) messages")
            slow.process.signal(SIGCONT)

            #expect(try await during.value.isRepeat)
            try await ann.awaitHeard("everyone", from: "bob", "\(count - 1)")
            try await bob.send("sendMessage", ["text": "after"])
            try await ann.awaitHeard("everyone", from: "bob", "after")
            // The end of a right may have been among what was dropped.
            try await eventually("ann has come again") { await ann.client.counters.connections >= 2 }
            #expect(await ann.client.counters.unannounced == 0)
            #expect(await bob.client.counters.connections == 1)
            for person in [ann, bob] {
                #expect(await person.seqs("everyone") == Array(1...count + 3))
                #expect(await person.faults() == [])
                await person.leave()
            }
            #expect(slow.process.log.contains("The node's queue is full"))
            #expect(try await session.inspect(queue: names.nodeLosses(queue)).messageCount == 0)
            session.close()
        }
    }
}
