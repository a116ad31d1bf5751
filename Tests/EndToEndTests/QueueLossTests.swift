import SparqAMQP
import Foundation
import PlainHTTP
import SparqClient
import SparqWire
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
                try await session.inspect(queue: names.work(lane: LaneMap.defaultLane)).messageCount == 1
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

    /// The word that ended their subscription went with the queue, and nobody says it again.
    @Test func whoeverLostARightMeanwhileHearsNoMore() async throws {
        try await Stack.with(fronts: 2, workers: 1, front: ["SPARQ_DRAIN_WINDOW_MS": "1000"]) { stack, fronts in
            let (slow, other) = (fronts[0], fronts[1])
            let queue = try #require(slow.queues.last)
            let session = try await AMQPSession(try AMQPConfiguration(url: try TestEnvironment.amqpURL()))
            let carl = try await Person("carl", registeredAt: other, fronts: [other])
            try await carl.send("room.create", ["room": "den"])
            let token = try TestToken.make(user: "ann", expiresIn: 600, secret: Stack.secret)
            func post(_ type: String) async throws {
                let answer = try await other.post(#"{"type":"\#(type)","id":"\#(type)","room":"den"}"#, token: token)
                #expect(answer.status == 200, "\(answer.text)")
            }
            try await post("room.join")
            let socket = try await RawSocket.open(slow, headers: ["Authorization": "Bearer \(token)"])
            try await socket.send(text: #"{"type":"subscribe","id":"s","topics":{"room:den":null}}"#)
            while try await socket.reply()["re"] as? String != "s" {}

            slow.process.signal(SIGSTOP)
            for _ in 0..<Self.prefetch { _ = try await session.publish(AMQPMessage(body: []), exchange: "", routingKey: queue) }
            try await post("room.leave")
            #expect(try await session.deleteQueue(queue) > 0, "nothing was lost")
            slow.process.signal(SIGCONT)
            #expect(try await socket.closeCode() == 1012)

            try await stack.awaitReady(slow)
            let again = try await RawSocket.open(slow, headers: ["Authorization": "Bearer \(token)"])
            try await again.send(text: #"{"type":"subscribe","id":"s","topics":{"room:den":null}}"#)
            var reply = try await again.reply()
            while reply["re"] as? String != "s" { reply = try await again.reply() }
            let topics = (reply["data"] as? [String: Any])?["topics"] as? [String: [String: Any]]
            #expect(topics?["room:den"]?["ok"] as? Bool == false)
            await again.close()
            await carl.leave()
            session.close()
        }
    }
}
