import SparqAMQP
import Logging
import SparqPostgres
import SparqWire
import Synchronization
import Testing

@testable import SparqWorker

@Suite(.timeLimit(.minutes(2))) struct DeadLetterTests {
    @Test func aLetterIsListedAndRetriedExactlyOnceWhenTheHandlerIsMended() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            let worker = try await stack.worker(.failing)
            try await stack.send([post("room:a", 7, user: "ann", id: "m")])
            try await node.wait(dones: 1)
            #expect(node.dones[0].reply?.text.contains(#""code":"internal""#) == true)
            await worker.shutDown()

            let letters = stack.letters()
            let letter = try #require(try await letters.list().only)
            #expect(letter.reason == "handler: Broken(why: \"a bug\")")
            #expect(letter.type == "post" && letter.user == "ann" && letter.time == 1 && letter.attempts == 1 && letter.lane == "default")
            #expect(letter.obstacle == nil && !letter.isRedacted)
            #expect(letter.envelopes.map(\.message.text) == [post("room:a", 7).message.text])

            try await stack.worker(.posting)
            #expect(try await letters.retry(.id(letter.id)) == DeadLetters.Outcome(settled: [letter]))
            try await node.wait(dones: 2)
            #expect(node.dones[1].reply?.text == #"{"re":"m","ok":true,"data":{"n":7}}"#)
            #expect(try await letters.list().isEmpty)
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
        }
    }

    @Test func aLetterThatFailsAgainIsTheSameLetter() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.failing)
            try await stack.send((1...3).map { post("room:a", $0, connection: "c\($0)", id: "m") })
            try await node.wait(dones: 3)
            let letters = stack.letters()
            let before = try await letters.list()
            #expect(Set(before.map(\.id)).count == 3)
            #expect(try await letters.retry(.all).settled.count == 3)
            try await node.wait(dones: 6)
            #expect(Set(try await letters.list().map(\.id)) == Set(before.map(\.id)))
        }
    }

    /// Killed between the confirm and the ack: the broker puts the letter back, and its copy is at work already.
    @Test func whoDiesBetweenPublishAndAckLeavesARepeatThatChangesNothing() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            let worker = try await stack.worker(.failing)
            try await stack.send([post("room:a", 1, id: "m")])
            try await node.wait(dones: 1)
            await worker.shutDown()
            try await stack.worker(.posting)

            let doomed = try await AMQPSession(stack.amqp)
            let dying = DeadLetters(session: doomed, names: stack.names)
            var box = dying.box
            let taken = try await box.take(10)
            #expect(taken.count == 1)
            #expect(try await dying.publish(taken[0].letter) == nil)
            doomed.close()
            try await node.wait(dones: 2)

            let letters = stack.letters()
            while try await letters.list().isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            #expect(try await letters.retry(.all).settled.count == 1)
            try await node.wait(dones: 3)
            #expect(node.dones[1].reply?.text == #"{"re":"m","ok":true,"data":{"n":1}}"#)
            #expect(node.dones[2].reply?.text == #"{"re":"m","ok":true,"data":{"n":1},"repeat":true}"#)
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
            #expect(try await letters.list().isEmpty)
        }
    }

    @Test func lookingLosesNothingAndKeepsTheOrder() async throws {
        try await Stack.with { stack in
            try await stack.bury((1...60).map { post("room:a", $0, ordinal: $0, id: "m\($0)") })
            let letters = stack.letters()
            let first = try await letters.list()
            #expect(first.compactMap(\.envelopes.first?.ordinal) == Array(1...60))
            // More often than the delivery limit of 20 that a queue has on newer brokers.
            for _ in 0..<30 {
                let again = try await letters.list()
                #expect(again.compactMap { $0.envelopes.first?.ordinal } == Array(1...60))
            }
            #expect(try await stack.letters(limit: 10).list() == Array(first[..<10]))
            #expect(Set(try await letters.list().map(\.id)) == Set(first.map(\.id)))
            // One who is killed while looking, too; the broker may change the order then.
            let doomed = try await AMQPSession(stack.amqp)
            var box = DeadLetters(session: doomed, names: stack.names).box
            #expect(try await box.take(100).count == 60)
            #expect(try await letters.list().isEmpty)
            doomed.close()
            while try await stack.session.inspect(queue: stack.names.dead).messageCount < 60 {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(Set(try await letters.list().map(\.id)) == Set(first.map(\.id)))
        }
    }

    @Test func dropRemovesWhatIsMeantAndNothingElse() async throws {
        try await Stack.with { stack in
            // The third and the fourth are copies: a worker died between burying and acking.
            try await stack.bury([1, 2, 3, 3, 4].map { post("room:a", $0, ordinal: $0) })
            let letters = stack.letters()
            let before = try await letters.list()
            #expect(before[2].id == before[3].id)
            #expect(try await letters.drop(.id(before[2].id)).settled.count == 2)
            #expect(try await letters.list() == [before[0], before[1], before[4]])
            do {
                _ = try await letters.drop(.id(before[2].id))
                Issue.record("nothing was there to be dropped")
            } catch let error as DeadLettersError {
                #expect(error.code == .notFound)
            }
            #expect(try await letters.drop(.all).settled.count == 3)
            #expect(try await letters.list().isEmpty)
        }
    }

    /// The broker carries acks out later than it reads them, and a connection that ends takes with it what it has not begun.
    @Test(arguments: [300, 1000]) func whatIsReportedAsSettledIsGoneThoughTheConnectionEndsAtOnce(count: Int) async throws {
        try await Stack.with { stack in
            try await stack.bury((1...count).map { post("room:a", $0, ordinal: $0, id: "m\($0)") })
            let session = try await AMQPSession(stack.amqp)
            let outcome = try await DeadLetters(session: session, names: stack.names).drop(.all)
            session.close()
            #expect(outcome.settled.count == count && outcome.unconfirmed.isEmpty && outcome.failure == nil)
            for _ in 0..<50 {
                #expect(try await stack.session.inspect(queue: stack.names.dead).messageCount == 0)
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(try await stack.letters().list().isEmpty)
        }
    }

    @Test func twoAtTheSameTimeCountEachLetterOnce() async throws {
        try await Stack.with { stack in
            let count = 300
            try await stack.bury((1...count).map { post("room:a", $0, ordinal: $0, id: "m\($0)") })
            @Sendable func settle(_ body: @Sendable (DeadLetters) async throws -> DeadLetters.Outcome) async throws -> [String] {
                let session = try await AMQPSession(stack.amqp)
                defer { session.close() }
                let outcome = try await body(DeadLetters(session: session, names: stack.names))
                #expect(outcome.kept.isEmpty && outcome.unconfirmed.isEmpty && outcome.failure == nil)
                return outcome.settled.map(\.id)
            }
            async let first = settle { try await $0.drop(.all) }
            async let second = settle { try await $0.retry(.all) }
            let (dropped, retried) = (try await first, try await second)
            #expect(dropped.count + retried.count == count && Set(dropped + retried).count == count)
            #expect(try await stack.workLeft() == retried.count)
            #expect(try await stack.letters().list().isEmpty)
        }
    }

    @Test func beyondTheLimitNothingIsTouched() async throws {
        try await Stack.with { stack in
            try await stack.bury((1...100).map { post("room:a", $0, ordinal: $0, id: "m\($0)") })
            #expect(try await stack.letters(limit: 50).drop(.all).settled.count == 50)
            let rest = try await stack.letters().list().compactMap { $0.envelopes.first?.ordinal }
            #expect(rest == Array(51...100))
        }
    }

    /// The broker goes away under it: what it says is gone is gone, and of the rest it says that it does not know.
    @Test func aConnectionThatBreaksLeavesNoFalseWord() async throws {
        try await Stack.with { stack in
            let count = 1000
            try await stack.bury((1...count).map { post("room:a", $0, ordinal: $0, id: "m\($0)") })
            let all = Set(try await stack.letters().list().map(\.id))
            var gone: Set<String> = []
            // How much is through when it ends: of what is taken, and of what is removed.
            for (taken, removed) in [(0.5, 0), (1, 0.1), (1, 0.5), (1, 0.3), (1, 0.9)] {
                let proxy = try Proxy(to: stack.amqp.hosts[0].port)
                let letters = DeadLetters(session: try await AMQPSession(stack.amqp(through: proxy)), names: stack.names)
                let before = gone
                // As frames of AMQP are long: to take one is a get, to remove 16 are as many acks and two gets.
                let get = Double(16 + stack.names.dead.utf8.count)
                proxy.cut(after: Int(Double(count - gone.count) * (taken * get + removed * (21 + get / 8))))
                let ended = try? await letters.drop(.all)
                proxy.close()
                #expect(ended == nil || ended?.failure != nil, "it was through before the connection ended")
                #expect((ended == nil) == (taken < 1))
                let outcome = ended ?? DeadLetters.Outcome()
                gone.formUnion(outcome.settled.map(\.id))
                let unknown = outcome.unconfirmed.map(\.id)
                #expect(gone.count == before.count + outcome.settled.count && unknown.count <= 16)
                #expect(unknown.isEmpty || outcome.failure != nil)
                // Until what it held is back: acks that were under way may have counted.
                while try await stack.session.inspect(queue: stack.names.dead).messageCount < count - gone.count - unknown.count {
                    try await Task.sleep(for: .milliseconds(10))
                }
                let left = Set(try await stack.letters().list().map(\.id))
                #expect(left.isDisjoint(with: gone) && left.union(gone).union(unknown) == all)
                gone = all.subtracting(left)
            }
        }
    }

    @Test func copiesOfOneLetterAreSentOnce() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            // Without an `id` the inbox knows nothing of it.
            try await stack.bury([1, 1].map { post("room:a", $0, ordinal: $0) })
            #expect(try await stack.letters().retry(.all).settled.count == 2)
            let worker = try await stack.worker(.posting)
            try await node.wait(dones: 1)
            await worker.shutDown()
            #expect(try await stack.workLeft() == 0)
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
        }
    }

    @Test func secretsReachNeitherTheLettersNorTheLog() async throws {
        try await Stack.with { stack in
            let lines = LogLines()
            let node = try await stack.node()
            var router = Router()
            router.on("login", RawMessage.self, isSecret: true) { message, _ in throw Broken(why: message.json.text) }
            router.on("slow", RawMessage.self, isSecret: true) { message, _ in throw TransientFailure(message.json.text) }
            router.on("commit", RawMessage.self, isSecret: true) { _, _ in [.append(to: .room("a"), Unstorable())] }
            try await stack.worker(router, log: lines)
            for (ordinal, type) in ["login", "slow", "commit"].enumerated() {
                try await stack.send([
                    envelope(type, #"{"type":"\#(type)","id":"m\#(ordinal)","password":"hunter2"}"#, ordinal: ordinal, id: "m\(ordinal)")
                ])
            }
            try await node.wait(dones: 3)
            #expect(lines.all.count { $0.contains("login") || $0.contains("slow") || $0.contains("commit") } >= 3)
            #expect(!lines.all.contains { $0.contains("hunter2") })
            let letters = stack.letters()
            let found = try await letters.list()
            #expect(found.count == 3)
            #expect(Set(found.map(\.reason)) == ["handler: Broken", "retries: TransientFailure", "commit: encoding"])
            #expect(found.allSatisfy { $0.isRedacted && !String(decoding: $0.body, as: UTF8.self).contains("hunter2") })
            let login = try #require(found.first { $0.type == "login" })
            #expect(login.envelopes.map(\.message.text) == [#"{"type":"login","id":"m0"}"#])
            for letter in try await stack.deadHeaders() { #expect(!"\(letter)".contains("hunter2")) }

            let outcome = try await letters.retry(.all)
            #expect(outcome.settled.isEmpty && outcome.kept.count == 3)
            #expect(outcome.kept.allSatisfy { $0.obstacle.contains("secrets") })
            #expect(try await letters.list() == found)
        }
    }

    @Test func whatCannotBeRetriedStaysAndSaysWhy() async throws {
        try await Stack.with { stack in
            try await stack.bury([envelope("$connect", #"{"type":"$connect"}"#), envelope("$disconnect", "{}", ordinal: 2)])
            try await stack.bury(Array("{\"node\":".utf8), lane: "default")
            try await stack.bury([post("room:a", 1, ordinal: 3)], lane: "nowhere")
            try await stack.bury([post("room:a", 1, ordinal: 4)], lane: nil)
            let outcome = try await stack.letters().retry(.all)
            #expect(outcome.settled.map(\.type) == ["$disconnect"])
            #expect(outcome.kept.count == 4)
            for (kept, word) in zip(outcome.kept, ["connection", "read", "nowhere", "lane"]) { #expect(kept.obstacle.contains(word)) }
            #expect(try await stack.letters().list() == outcome.kept.map(\.letter))
            #expect(try await stack.workLeft() == 1)
        }
    }

    /// A broker that dies while it moves a message must have it in one queue or the other.
    @Test func whatTheBrokerMovesByItselfIsNotLost() {
        let moving = WorkerTopology.topology(names: BrokerNames(), lane: "p", retryDelays: Stack.retryDelays).queues
            .filter { $0.arguments["x-dead-letter-exchange"] != nil }
        #expect(moving.count == 4)
        for queue in moving {
            #expect(queue.arguments["x-dead-letter-strategy"] == "at-least-once" && queue.arguments["x-overflow"] == "reject-publish")
        }
    }

    /// A batch that each worker gives back until the broker has enough.
    @Test func aBatchThatTheBrokerBuriedIsOneLetter() async throws {
        try await Stack.with { stack in
            let body = NDJSON.body([
                post("room:a", 1, connection: "c1", id: "a"), envelope("$connect", "{}", connection: "c9"),
                post("room:a", 2, connection: "c2", user: "bob", id: "b"),
            ])
            try await stack.send(body)
            let queue = stack.names.work(lane: "default")
            while let delivery = try await stack.session.get(queue: queue) { try await stack.session.reject(delivery.tag, requeue: true) }
            let letters = stack.letters()
            var found: [DeadLetter] = []
            while found.isEmpty {
                try await Task.sleep(for: .milliseconds(10))
                found = try await letters.list()
            }
            let letter = found[0]
            #expect(letter.reason == "delivery_limit: no worker lived through it" && letter.lane == "default")
            #expect(letter.type == nil && letter.envelopes.count == 3 && letter.obstacle == nil)
            let node = try await stack.node()
            try await stack.worker(.posting)
            #expect(try await letters.retry(.id(letter.id)).settled == [letter])
            try await node.wait(dones: 2)
            #expect(try await stack.count("SELECT count(*) FROM events") == 2)
            #expect(Set(node.dones.map(\.connection)) == ["c1", "c2"])
        }
    }

    @Test func aBrokerWithoutTheQueueIsAnErrorAndGetsNone() async throws {
        try await Stack.with { stack in
            let letters = DeadLetters(session: stack.session, names: BrokerNames(prefix: stack.schema + "x"))
            for _ in 0..<2 {
                do {
                    _ = try await letters.list()
                    Issue.record("there is no such queue")
                } catch let error as DeadLettersError {
                    #expect(error.code == .noQueue)
                }
            }
        }
    }
}

private struct Broken: Error { var why: String }

extension Router {
    /// `post` fails.
    fileprivate static var failing: Router {
        var router = Router()
        router.on("post", Post.self) { _, _ in throw Broken(why: "a bug") }
        return router
    }
}

extension Stack {
    fileprivate func letters(limit: Int = 1000) -> DeadLetters { DeadLetters(session: session, names: names, limit: limit) }

    fileprivate func bury(_ envelopes: [Envelope], lane: String? = "default") async throws {
        for envelope in envelopes { try await bury(NDJSON.body([envelope]), lane: lane) }
    }

    fileprivate func bury(_ body: [UInt8], lane: String?) async throws {
        let headers: [String: AMQPValue] = lane.map { ["pool": .string($0)] } ?? [:]
        _ = try await session.publish(AMQPMessage(body: body, headers: headers), exchange: "", routingKey: names.dead, mandatory: true)
    }

    /// What the letters' headers say; the letters stay.
    fileprivate func deadHeaders() async throws -> [[String: AMQPValue]] {
        var found: [SparqAMQP.Delivery] = []
        while let delivery = try await session.get(queue: names.dead) { found.append(delivery) }
        for delivery in found { try await session.reject(delivery.tag, requeue: true) }
        return found.map(\.message.headers)
    }
}

extension NDJSON {
    fileprivate static func body(_ envelopes: [Envelope]) -> [UInt8] {
        var writer = JSONWriter()
        for envelope in envelopes { envelope.encode(into: &writer) }
        return writer.bytes
    }
}

extension Collection {
    /// The element of a collection of one.
    fileprivate var only: Element? { count == 1 ? first : nil }
}
