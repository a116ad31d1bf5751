import Foundation
import PlainHTTP
import SparqClient
import Testing

/// A broker that takes less than what Sparq may send: what it refuses is final for that message alone.
@Suite(.timeLimit(.minutes(4))) struct SmallBrokerTests {
    @Test func whatItRefusesStopsNobody() async throws {
        try await OwnBroker.with { broker in
            try await Stack.with(fronts: 0, workers: 0) { stack, _ in
                await stack.route(amqp: broker.url)
                try await broker.limitMessages(to: 8000)
                let settings = ["SPARQ_RATE": "10000", "SPARQ_BURST": "10000"]
                let worker = try await stack.startWorker()
                let front = try await stack.startFront(settings)
                try await stack.awaitReady(worker)
                try await stack.awaitReady(front)
                let token = try await BadInputTests.token("ann", front)
                let socket = try await RawSocket.open(front, headers: ["Authorization": "Bearer \(token)"])
                let pad = String(repeating: "x", count: 20_000)
                // In one batch with others.
                for round in 0..<5 {
                    for number in 0..<5 { try await socket.send(text: #"{"type":"who","id":"a\#(round)-\#(number)"}"#) }
                    try await socket.send(text: #"{"type":"who","id":"big\#(round)","pad":"\#(pad)"}"#)
                    for number in 5..<10 { try await socket.send(text: #"{"type":"who","id":"a\#(round)-\#(number)"}"#) }
                    for _ in 0..<11 {
                        let reply = try await socket.reply()
                        let id = try #require(reply["re"] as? String)
                        // What came together with it may have to be sent again, to keep its order.
                        let isGood = reply["ok"] as? Bool == true || BadInputTests.code(reply) == "unavailable"
                        #expect(id.hasPrefix("big") ? BadInputTests.code(reply) == "too_large" : isGood, "\(reply)")
                    }
                }
                let answer = try await front.post(#"{"type":"who","id":"h","pad":"\#(pad)"}"#, token: token)
                #expect(answer.status == 413 && answer.text.contains("too_large"))

                // Events and replies together: more than it takes in one message, and so in parts.
                let ann = try await Person("bob", registeredAt: front, fronts: [front])
                let text = String(repeating: "y", count: 1500)
                for number in 0..<20 { try await ann.send("sendMessage", ["text": "\(number)\(text)"]) }
                try await ann.subscribe("everyone", after: 0)
                // Some may have come before, as they happened.
                try await eventually("all events") { Set(await ann.seqs("everyone")) == Set(1...20) }
                #expect(await ann.faults() == [])
                await ann.leave()
                await socket.close()
            }
        }
    }
}
