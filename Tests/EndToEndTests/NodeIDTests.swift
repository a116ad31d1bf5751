import Foundation
import SparqClient
import Testing

/// Two fronts with one id, as where it is set in a file that all processes read.
@Suite(.timeLimit(.minutes(3))) struct NodeIDTests {
    private static let sentence = "Another front has this node's id: give each front an id of its own (SPARQ_NODE_ID)"

    private func isRefused(_ front: Front, _ token: String) async -> Bool {
        do {
            let socket = try await RawSocket.open(front, headers: ["Authorization": "Bearer \(token)"])
            await socket.close()
            return false
        } catch { return true }
    }

    @Test(arguments: [SIGKILL, SIGTERM]) func theSecondWaitsUntilTheFirstIsGone(signal: Int32) async throws {
        try await Stack.with(fronts: 1) { stack, fronts in
            let first = fronts[0]
            let ann = try await Person("ann", registeredAt: first, fronts: fronts)
            try await ann.subscribe("everyone")
            let second = try await stack.startFront(["SPARQ_NODE_ID": first.id])
            try await eventually("it says what is wrong") { second.process.log.contains(Self.sentence) }
            // Deliveries all come to the first one: nothing is halved, repeated, or asked for again.
            for number in 0..<100 { try await ann.send("sendMessage", ["text": "\(number)"]) }
            try await ann.awaitHeard("everyone", from: "ann", "99")
            #expect(await ann.faults() == [])
            #expect(await second.status("/readyz") == 503 && second.process.isRunning)
            #expect(await isRefused(second, ann.token))
            #expect(await first.status("/readyz") == 200)
            // One that gives up waiting takes nothing along.
            let third = try await stack.startFront(["SPARQ_NODE_ID": first.id])
            try await eventually("it says so too") { third.process.log.contains(Self.sentence) }
            #expect(try await third.process.stop() == 0)
            try await ann.send("sendMessage", ["text": "still here"])
            try await ann.awaitHeard("everyone", from: "ann", "still here")
            #expect(await ann.client.counters.connections == 1)
            // The first was a predecessor that dies.
            if signal == SIGKILL { try await first.process.killNow() } else { #expect(try await first.process.stop() == 0) }
            try await eventually("the second has it", within: .seconds(5)) { await second.status("/readyz") == 200 }
            let bob = try await Person("bob", registeredAt: second, fronts: [second])
            try await bob.subscribe("everyone")
            try await bob.send("sendMessage", ["text": "hello"])
            try await bob.awaitHeard("everyone", from: "bob", "hello")
            await ann.leave()
            await bob.leave()
        }
    }

    /// A supervisor starts it anew with the id that it had.
    @Test func aFrontThatWasKilledIsBackSoon() async throws {
        try await Stack.with(fronts: 1) { stack, fronts in
            try await fronts[0].process.killNow()
            let again = try await stack.startFront(["SPARQ_NODE_ID": fronts[0].id])
            try await eventually("it is ready", within: .seconds(5)) { await again.status("/readyz") == 200 }
        }
    }
}
