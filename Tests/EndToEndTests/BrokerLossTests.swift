import SparqAMQP
import Foundation
import PlainHTTP
import SparqClient
import SparqWire
import Testing

/// A broker node that dies, with what lived on it.
@Suite(.timeLimit(.minutes(4))) struct BrokerLossTests {
    @Test func frontsWhoseQueueDiedWithABrokerNodeGoOnWithAFreshOne() async throws {
        try await BrokerPair.with { pair in
            try await Stack.with(fronts: 0, workers: 0) { stack, _ in
                await stack.route(amqp: pair.first.url)
                let worker = try await stack.startWorker()
                // What workers declare lives on the first node from here on, and what fronts declare on the second.
                try await stack.awaitReady(worker)
                let second = try await pair.startSecond()
                try await second.awaitReady()
                let ways = try await (0..<2).asyncMap { _ in try await Forwarder(toHost: "127.0.0.1", port: second.port) }
                var fronts: [Front] = []
                for way in ways {
                    try await way.open()
                    await stack.route(amqp: try TestEnvironment.url(second.url, port: way.port))
                    fronts.append(try await stack.startFront())
                }
                for front in fronts { try await stack.awaitReady(front) }
                let ann = try await Person("ann", registeredAt: fronts[0], fronts: [fronts[0]])
                let bob = try await Person("bob", registeredAt: fronts[1], fronts: [fronts[1]])
                for person in [ann, bob] { try await person.subscribe("everyone") }
                try await talk(ann, "a", 10)
                try await bob.awaitHeard("everyone", from: "ann", "a10")

                // A broken connection costs nothing: the queue is reached over the other node.
                await ways[0].turn(to: pair.first.port)
                try await eventually("not ready") { await fronts[0].status("/readyz") == 503 }
                try await stack.awaitReady(fronts[0])
                try await talk(bob, "b", 10)
                try await ann.awaitHeard("everyone", from: "bob", "b10")
                #expect(fronts.map(\.queues.count) == [1, 1])

                // One front loses its queue, the other one its connection too.
                async let annTalks: Void = talk(ann, "c", 200)
                async let bobTalks: Void = talk(bob, "d", 200)
                try await eventually("the talk is under way") { await bob.heard("everyone").count > 50 }
                let killed = ContinuousClock.now
                try await second.kill()
                await ways[1].turn(to: pair.first.port)
                for front in fronts {
                    try await eventually("\(front.process.name) has a fresh queue", within: .seconds(20)) { front.queues.count == 2 }
                    try await stack.awaitReady(front)
                }
                print("fronts were ready again after \(ContinuousClock.now - killed)")
                _ = try await (annTalks, bobTalks)

                // Nobody reads the old queues, and nothing is put into them when they are back.
                let back = try second.startAgain()
                try await back.awaitReady()
                try await talk(ann, "e", 10)
                let session = try await AMQPSession(try AMQPConfiguration(url: back.url))
                for front in fronts { #expect(try await session.inspect(queue: front.queues[0]).messageCount == 0) }
                session.close()

                for person in [ann, bob] {
                    try await person.awaitHeard("everyone", from: "ann", "e10")
                    #expect(await person.seqs("everyone") == Array(1...430))
                    #expect(await person.faults() == [])
                    // Nobody knows what the old queue held that no one sends again: each has come again, and no more than that.
                    try await eventually("\(person.name) has come again") { await person.client.counters.connections == 2 }
                    #expect(await person.client.counters.unannounced == 0)
                    await person.leave()
                }
                for way in ways { await way.close() }
            }
        }
    }

    /// What waits for a front needs no disk: what a restart took with it is asked for again, and nobody waits for a deadline or loses a socket.
    @Test func answersThatARestartOfTheBrokerTookWithItComeAgain() async throws {
        try await OwnBroker.with { broker in
            try await Stack.with(fronts: 0, workers: 0) { stack, _ in
                await stack.route(amqp: broker.url)
                let first = try await stack.startWorker()
                let front = try await stack.startFront(["SPARQ_REPLY_DEADLINE_MS": "120000"])
                try await stack.awaitReady(first)
                try await stack.awaitReady(front)
                let ann = try await Person("ann", registeredAt: front, fronts: [front])
                try await ann.subscribe("everyone")

                // Nobody takes them, so they are where they can be seen; their answers come when the front cannot read.
                #expect(try await first.stop() == 0)
                let said = Task { try await ann.send("sendMessage", ["text": "said"], deadline: .seconds(90)) }
                let posted = Task { [token = ann.token] in
                    try await HTTPExchange.request(
                        "POST",
                        "\(front.http)/v1/messages",
                        headers: [("Authorization", "Bearer \(token)")],
                        body: Array(#"{"type":"sendMessage","id":"p","text":"posted"}"#.utf8),
                        timeout: .seconds(90)
                    )
                }
                try await eventually("both are with the broker") {
                    try await WorkQueue.envelopes(of: stack).count { $0.type == "sendMessage" } == 2
                }
                front.process.signal(SIGSTOP)
                let second = try await stack.startWorker()
                try await eventually("both took effect") {
                    try await stack.sql("SELECT seq FROM topics WHERE topic = 'everyone'") == "2"
                }
                #expect(try await second.stop() == 0, "what it had to tell is with the broker")
                try await broker.stop()
                front.process.signal(SIGCONT)
                try await broker.start()
                _ = try await stack.startWorker()

                #expect(try await said.value.isRepeat)
                let answer = try await posted.value
                #expect(answer.status == 200 && answer.text.contains(#""repeat":true"#), "\(answer.text)")
                for text in ["said", "posted"] { try await ann.awaitHeard("everyone", from: "ann", text) }
                try await ann.send("sendMessage", ["text": "after"])
                try await ann.awaitHeard("everyone", from: "ann", "after")
                #expect(await ann.seqs("everyone") == [1, 2, 3])
                #expect(await ann.faults() == [])
                #expect(await ann.client.counters.connections == 1, "the socket was closed")
                await ann.leave()
            }
        }
    }
}
