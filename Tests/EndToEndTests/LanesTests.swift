import SparqAMQP
import Foundation
import SparqWire
import Testing

/// Types with workers of their own, which are away or take a batch without an answer.
@Suite(.timeLimit(.minutes(4))) struct LanesTests {
    private static let lane = "talk"
    private static let settings = [
        "SPARQ_LANES": "\(lane)=sendMessage", "SPARQ_REPLY_DEADLINE_MS": "2000", "SPARQ_RATE": "10000", "SPARQ_BURST": "10000",
    ]

    /// The reply to a message, whatever else comes meanwhile.
    private func reply(_ socket: RawSocket, to id: String) async throws -> [String: Any] {
        for _ in 0..<3000 {
            let reply = try await socket.reply()
            if reply["re"] as? String == id { return reply }
        }
        throw TimedOut(description: "no reply to \(id)")
    }

    @Test func aLaneWithoutWorkersHoldsUpNoOtherOfTheSameSocket() async throws {
        try await Stack.with(fronts: 1, workers: 1, front: Self.settings) { stack, fronts in
            let talker = try await stack.startWorker(["SPARQ_LANE": Self.lane])
            try await stack.awaitReady(talker)
            let token = try await BadInputTests.token("ann", fronts[0])
            let socket = try await RawSocket.open(fronts[0], headers: ["Authorization": "Bearer \(token)"])
            try await socket.send(text: #"{"type":"sendMessage","id":"t0","text":"x"}"#)
            #expect(try await reply(socket, to: "t0")["ok"] as? Bool == true)
            #expect(try await talker.stop() == 0)

            // One that nobody takes, and then more than a lane may hold.
            for number in 1...300 { try await socket.send(text: #"{"type":"sendMessage","id":"t\#(number)","text":"\#(number)"}"#) }
            var slowest = Duration.zero
            for number in 0..<100 {
                let sent = ContinuousClock.now
                try await socket.send(text: #"{"type":"who","id":"w\#(number)"}"#)
                #expect(try await reply(socket, to: "w\(number)")["ok"] as? Bool == true)
                slowest = max(slowest, .now - sent)
            }
            // It is held back for a moment, as where the lane is only busy.
            #expect(slowest < .milliseconds(1500), "\(slowest)")

            let back = try await stack.startWorker(["SPARQ_LANE": Self.lane])
            try await stack.awaitReady(back)
            try await eventually("the lane works again", within: .seconds(20)) {
                try await socket.send(text: #"{"type":"sendMessage","id":"new","text":"x"}"#)
                return try await reply(socket, to: "new")["ok"] as? Bool == true
            }
            await socket.close()
        }
    }

    /// As a worker with a fault does it, in whatever language.
    @Test func aBatchThatIsTakenWithoutAnAnswerIsNoticedAndHoldsUpNobody() async throws {
        try await Stack.with(fronts: 1, workers: 1, front: Self.settings) { stack, fronts in
            let front = fronts[0]
            let queue = BrokerNames(prefix: stack.prefix).work(lane: Self.lane)
            let talker = try await stack.startWorker(["SPARQ_LANE": Self.lane])
            try await stack.awaitReady(talker)
            #expect(try await talker.stop() == 0)
            let session = try await AMQPSession(try AMQPConfiguration(url: try TestEnvironment.amqpURL()))
            let token = try await BadInputTests.token("ann", front)
            let socket = try await RawSocket.open(front, headers: ["Authorization": "Bearer \(token)"])
            try await socket.send(text: #"{"type":"sendMessage","id":"lost","text":"x"}"#)
            try await eventually("it is taken") {
                guard let delivery = try await session.get(queue: queue) else { return false }
                try await session.ack(delivery.tag)
                return true
            }
            let back = try await stack.startWorker(["SPARQ_LANE": Self.lane])
            try await stack.awaitReady(back)
            #expect(BadInputTests.code(try await reply(socket, to: "lost")) == "unavailable")
            try await eventually("the front notices", within: .seconds(30)) {
                front.process.log.split(separator: "\n").contains { $0.contains("is given up") && $0.contains("lane=\(Self.lane)") }
            }
            for id in ["next", "lost"] {
                try await socket.send(text: #"{"type":"sendMessage","id":"\#(id)","text":"x"}"#)
                #expect(try await reply(socket, to: id)["ok"] as? Bool == true)
            }
            #expect(try await stack.sql("SELECT seq FROM topics WHERE topic = 'everyone'") == "2")
            await socket.close()
            session.close()
        }
    }
}
