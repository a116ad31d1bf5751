import AMQP
import Foundation
import SparqClient
import SparqProtocol
import Testing

/// A node's queue that is gone with all that is in it, while its front lives.
@Suite(.timeLimit(.minutes(3))) struct QueueLossTests {
    /// Deliveries that a front takes before it acknowledges any.
    private static let prefetch = 64

    @Test func topicsAndMessagesGoOnAfterIt() async throws {
        // A message without an answer would hold up its connection for six deadlines: longer than is waited for here.
        try await Stack.with(fronts: 1, workers: 1, front: ["SPARQ_REPLY_DEADLINE_MS": "6000"]) { stack, fronts in
            let names = BrokerNames(prefix: stack.prefix)
            let front = fronts[0]
            let queue = try #require(front.queues.last)
            let session = try await AMQPSession(try AMQPConfiguration(url: try TestEnvironment.amqpURL()))
            let ann = try await Person("ann", registeredAt: front, fronts: fronts)
            let bob = try await Person("bob", registeredAt: front, fronts: fronts)
            for person in [ann, bob] { try await person.subscribe("everyone") }
            try await ann.send("sendMessage", ["text": "before"])
            try await bob.awaitHeard("everyone", from: "ann", "before")

            // Nobody takes it, so it is where it can be seen; its answer and its event come when the front cannot.
            #expect(try await stack.workers[0].stop() == 0)
            let during = Task { try await ann.send("sendMessage", ["text": "during"], deadline: .seconds(25)) }
            try await eventually("the message is with the broker") {
                try await session.inspect(queue: names.work(pool: PoolMap.defaultPool)).messageCount == 1
            }
            front.process.signal(SIGSTOP)
            for _ in 0..<Self.prefetch { _ = try await session.publish(AMQPMessage(body: []), exchange: "", routingKey: queue) }
            let worker = try await stack.startWorker()
            try await eventually("the message took effect") {
                try await stack.sql("SELECT seq FROM topics WHERE topic = 'everyone'") == "2"
            }
            #expect(try await worker.stop() == 0, "what it had to tell is with the broker")
            #expect(try await session.deleteQueue(queue) > 0, "nothing was lost")
            front.process.signal(SIGCONT)
            _ = try await stack.startWorker()

            #expect(try await during.value.isRepeat)
            try await bob.awaitHeard("everyone", from: "ann", "during")
            try await bob.send("sendMessage", ["text": "after"])
            try await ann.awaitHeard("everyone", from: "bob", "after")
            for person in [ann, bob] {
                #expect(await person.seqs("everyone") == [1, 2, 3])
                #expect(await person.faults() == [])
                await person.leave()
            }
            session.close()
        }
    }
}
