import SparqAMQP
import Foundation
import SparqWire
import Testing

/// `sparq dead` as an operator runs it.
@Suite(.timeLimit(.minutes(5))) struct DeadCommandTests {
    @Test func retryIsKilledAgainAndAgainAndEveryLetterTakesEffectOnce() async throws {
        try await Stack.with(fronts: 1, workers: 1) { stack, _ in
            let count = 200
            try await stack.bury(count)
            for _ in 0..<8 {
                let process = try await stack.startDead("retry", "--all")
                try await Task.sleep(for: .milliseconds(Int.random(in: 50...600)))
                try await process.killNow()
            }
            try await eventually("no letter is left") {
                let (status, text) = try await stack.dead("retry", "--all")
                #expect(status == 0, "\(text)")
                return text == "no dead letters\n"
            }
            try await eventually("all is done") { try await stack.sql("SELECT count(*) FROM inbox WHERE user_id = 'ann'") == "\(count)" }
            #expect(try await stack.sql("SELECT seq FROM topics WHERE topic = 'everyone'") == "\(count)")
            let texts = try await stack.sql("SELECT count(DISTINCT data) FROM events WHERE topic = 'everyone'")
            #expect(texts == "\(count)")
        }
    }

    @Test func whatDropAndRetryReportIsGone() async throws {
        try await Stack.with(fronts: 0, workers: 1) { stack, _ in
            for verb in ["drop", "retry"] {
                try await stack.bury(300)
                let (status, text) = try await stack.dead(verb, "--all")
                #expect(status == 0 && text.split(separator: "\n").count == 300, "\(text.suffix(300))")
                // At once: letters that came back would be here, or soon.
                for _ in 0..<5 { #expect(try await stack.dead("list") == (0, "no dead letters\n")) }
            }
        }
    }

    @Test func aBrokerThatIsKilledMeanwhileLeavesNoFalseWord() async throws {
        try await OwnBroker.with { broker in
            try await Stack.with(fronts: 0, workers: 0) { stack, _ in
                await stack.route(amqp: broker.url)
                let worker = try await stack.startWorker()
                try await stack.awaitReady(worker)
                try await stack.bury(1000)
                func ids() async throws -> Set<Substring> {
                    let rows = try await stack.dead("list", "--limit", "2000").text.split(separator: "\n").dropFirst()
                    return Set(rows.map { $0.split(separator: " ")[1] })
                }
                let before = try await ids()
                #expect(before.count == 1000)
                let process = try await stack.startDead("drop", "--all")
                try await eventually("it holds letters") { (try await stack.readyLetters() ?? 1000) < 1000 }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...500)))
                try await broker.kill()
                let status = try await process.end(within: .seconds(60))
                try await broker.start()
                var said: [Substring: Set<Substring>] = [:]
                for line in process.log.split(separator: "\n") {
                    let words = line.split(whereSeparator: { " :".contains($0) })
                    said[words[0], default: []].insert(words[1])
                }
                let (dropped, unconfirmed) = (said["dropped"] ?? [], said["unconfirmed"] ?? [])
                #expect(status == 1 ? said["Error"] != nil : dropped == before, "\(process.log.suffix(300))")
                try await eventually("the queue is back") { try await stack.readyLetters() != nil }
                let left = try await ids()
                #expect(left.isDisjoint(with: dropped) && left.union(dropped).union(unconfirmed) == before)
            }
        }
    }

    @Test func listShowAndDrop() async throws {
        try await Stack.with(fronts: 1, workers: 1) { stack, _ in
            #expect(try await stack.dead("list") == (0, "no dead letters\n"))
            try await stack.bury(2)
            try await stack.bury(1, type: "auth.login", fields: #""password":"hunter2""#)
            let (status, table) = try await stack.dead("list")
            let rows = table.split(separator: "\n")
            #expect(status == 0 && rows.count == 4)
            #expect(rows[0].hasPrefix("#  ID") && rows[0].hasSuffix("REASON"))
            #expect(rows[1].contains("sendMessage") && rows[1].contains("ann") && rows[1].contains("handler: a bug"))

            struct Letter: Decodable, Equatable {
                struct Message: Decodable, Equatable { var type: String, id: String, text: String? }
                var id: String
                var reason: String, type: String, user: String, lane: String, pool: String, time: String
                var attempts: Int
                var messages: [Message]?
            }
            let list = try JSONDecoder().decode([Letter].self, from: Data(try await stack.dead("list", "--json").text.utf8))
            #expect(list.count == 3 && rows[1].contains(list[0].id))
            #expect(list[0].attempts == 5 && list[0].time == "2026-01-31T12:00:00Z")
            #expect([list[0].lane, list[0].pool] == ["default", "default"])
            let shown = try await stack.dead("show", list[1].id, "--json").text
            #expect(try JSONDecoder().decode(Letter.self, from: Data(shown.utf8)).messages?.map(\.text) == ["text 2"])
            #expect(try await stack.dead("show", "2").text.contains(#""text":"text 2""#))
            // As the broker buries batches: not redacted in the queue, but here.
            let login = try await stack.dead("show", "3")
            #expect(login.status == 0 && login.text.contains("auth.login") && !login.text.contains("hunter2"))
            #expect(try await stack.dead("show", "4").status == 1)

            #expect(try await stack.dead("drop", list[0].id) == (0, "dropped \(list[0].id)\n"))
            #expect(try await stack.dead("drop", list[0].id).status == 1)
            #expect(try await stack.dead("drop").status != 0)
            #expect(try await stack.dead("drop", list[1].id, "--all").status != 0)
            #expect(try await stack.dead("list", "--limit", "1").text.contains("there may be more"))
            #expect(try await stack.dead("drop", "--all").text.split(separator: "\n").count == 2)
            #expect(try await stack.dead("list").text == "no dead letters\n")
        }
    }

    @Test func aBrokerThatIsAwayAndAQueueThatIsMissingAreSaidClearly() async throws {
        try await Stack.with(fronts: 0, workers: 0) { stack, _ in
            let missing = try await stack.dead("list")
            #expect(missing.status == 1 && missing.text.contains("no worker has run"))
            let away = try await stack.dead("list", "--amqp-url", "amqp://guest:hunter2@127.0.0.1:1/")
            #expect(away.status == 1 && away.text.contains("connectFailed") && !away.text.contains("hunter2"))
        }
    }
}

extension Stack {
    fileprivate func startDead(_ arguments: String...) throws -> RunningProcess {
        try launch(TestEnvironment.random("dead-"), ["dead"] + arguments, deadSettings)
    }

    fileprivate func dead(_ arguments: String...) async throws -> (status: Int32, text: String) {
        let process = try launch(TestEnvironment.random("dead-"), ["dead"] + arguments, deadSettings)
        return (try await process.end(within: .seconds(60)), process.log)
    }

    /// How many letters nobody holds; `nil` while the broker does not say.
    fileprivate func readyLetters() async throws -> Int? {
        guard let session = try? await AMQPSession(try AMQPConfiguration(url: amqpURL)) else { return nil }
        defer { session.close() }
        return try? await session.inspect(queue: BrokerNames(prefix: prefix).dead).messageCount
    }

    private var deadSettings: [String: String] { ["SPARQ_AMQP_URL": amqpURL, "SPARQ_PREFIX": prefix] }

    /// Lays letters into the queue as a worker does.
    fileprivate func bury(_ count: Int, type: String = "sendMessage", fields: String? = nil) async throws {
        let session = try await AMQPSession(try AMQPConfiguration(url: amqpURL))
        defer { session.close() }
        for number in 1...count {
            let message = #"{"type":"\#(type)","id":"m\#(number)",\#(fields ?? #""text":"text \#(number)""#)}"#
            let envelope = Envelope(
                node: "gone",
                connection: "c",
                ordinal: number,
                user: "ann",
                receivedAt: 1_769_860_800_000,
                type: type,
                id: "m\(number)",
                message: Array(message.utf8)[...]
            )
            var writer = JSONWriter()
            envelope.encode(into: &writer)
            let headers: [String: AMQPValue] = ["reason": "handler: a bug", "type": .string(type), "pool": "default", "attempts": 5]
            let letter = AMQPMessage(body: writer.bytes, headers: headers)
            let outcome = try await session.publish(
                letter,
                exchange: "",
                routingKey: BrokerNames(prefix: prefix).dead,
                mandatory: true
            )
            #expect(outcome == .confirmed)
        }
    }
}
