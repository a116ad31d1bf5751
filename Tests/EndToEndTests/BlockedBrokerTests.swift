import Foundation
import Testing

/// A broker that is there and takes nothing, because its memory is used up.
@Suite(.timeLimit(.minutes(4))) struct BlockedBrokerTests {
    private static let settings = ["SPARQ_REPLY_DEADLINE_MS": "2000", "SPARQ_RATE": "100000", "SPARQ_BURST": "100000"]

    private static func isUnavailable(_ reply: [String: Any]) -> Bool { BadInputTests.code(reply) == "unavailable" }

    @Test func clientsAreToldAndNothingPilesUp() async throws {
        try await OwnBroker.with { broker in
            try await Stack.with(fronts: 0, workers: 0) { stack, _ in
                await stack.route(amqp: broker.url)
                let worker = try await stack.startWorker()
                let front = try await stack.startFront(Self.settings)
                try await stack.awaitReady(worker)
                try await stack.awaitReady(front)
                let token = try await BadInputTests.token("ann", front)
                func open() async throws -> RawSocket {
                    try await RawSocket.open(front, headers: ["Authorization": "Bearer \(token)"])
                }
                let (talker, flood) = (try await open(), try await open())
                try await talker.send(text: #"{"type":"sendMessage","id":"before","text":"x"}"#)
                #expect(try await talker.reply()["ok"] as? Bool == true)

                try await broker.block()
                try await eventually("not ready") { await front.status("/readyz") == 503 }
                for number in 0..<20 { try await talker.send(text: #"{"type":"sendMessage","id":"b\#(number)","text":"x"}"#) }
                // 40 MB, of which the front and two socket buffers hold a part only: then nobody reads.
                let pad = String(repeating: "x", count: 50_000)
                let flooding = Task {
                    for number in 0..<800 { try await flood.send(text: #"{"type":"who","id":"f\#(number)","pad":"\#(pad)"}"#) }
                }
                for _ in 0..<20 {
                    let reply = try await talker.reply()
                    #expect(Self.isUnavailable(reply), "\(reply)")
                }
                #expect(Self.isUnavailable(try await flood.reply()))
                let memory = try String(contentsOfFile: "/proc/\(front.process.pid)/statm", encoding: .utf8).split(separator: " ")
                #expect((Int(memory[1]) ?? .max) * 4096 < 200 << 20, "resident: \(memory[1]) pages")
                await flood.close()
                await #expect(throws: (any Error).self, "the whole flood was read") { try await flooding.value }
                #expect(try await stack.sql("SELECT seq FROM topics WHERE topic = 'everyone'") == "1")

                try await broker.unblock()
                try await stack.awaitReady(front)
                try await talker.send(text: #"{"type":"sendMessage","id":"after","text":"x"}"#)
                #expect(try await talker.reply()["ok"] as? Bool == true)
                // What was answered `unavailable` before it left never left; sent again it takes effect.
                #expect(try await stack.sql("SELECT seq FROM topics WHERE topic = 'everyone'") == "2")
                try await talker.send(text: #"{"type":"sendMessage","id":"b7","text":"x"}"#)
                #expect(try await talker.reply()["repeat"] == nil)
                #expect(try await stack.sql("SELECT seq FROM topics WHERE topic = 'everyone'") == "3")
                await talker.close()
            }
        }
    }
}
