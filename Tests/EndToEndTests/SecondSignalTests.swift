import Foundation
import SparqClient
import Testing

/// The first SIGTERM ends in order, which takes its time; the second one ends at once.
@Suite(.timeLimit(.minutes(3))) struct SecondSignalTests {
    private func expectEndAtOnce(_ process: RunningProcess) async throws {
        #expect(process.isRunning, "one signal does not end it: \(process.log.suffix(500))")
        let start = ContinuousClock.now
        process.signal(SIGTERM)
        #expect(try await process.end(within: .seconds(10)) == 128 + SIGTERM)
        #expect(ContinuousClock.now - start < .seconds(2))
    }

    @Test func aFrontThatDrains() async throws {
        try await Stack.with(fronts: 1, workers: 1, front: ["SPARQ_DRAIN_WINDOW_MS": "600000"]) { _, fronts in
            let front = fronts[0]
            let token = try await BadInputTests.token("ann", front)
            // Each gets a moment of its own within ten minutes: one of them is there for long.
            let sockets = try await (0..<8).asyncMap { _ in try await RawSocket.open(front, headers: ["Authorization": "Bearer \(token)"]) }
            for socket in sockets {
                try await socket.send(text: #"{"type":"who","id":"w"}"#)
                _ = try await socket.reply()
            }
            front.process.signal(SIGTERM)
            try await eventually("it drains") { front.process.log.contains("Draining") }
            try await expectEndAtOnce(front.process)
            for socket in sockets { await socket.close() }
        }
    }

    @Test func aWorkerInTheMiddleOfAMessage() async throws {
        try await Stack.with(fronts: 1, workers: 1) { stack, fronts in
            let worker = await stack.workers[0]
            let ann = try await Person("ann", registeredAt: fronts[0], fronts: fronts)
            let lock = try RunningProcess(
                "lock",
                executable: "psql",
                arguments: [await stack.postgresURL, "-X", "-c", "LOCK TABLE rooms IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(100)"],
                environment: [:],
                folder: stack.folder
            )
            let waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'rooms'::regclass AND granted ="
            try await eventually("the table is locked") { try await stack.sql("\(waiting) true") == "1" }
            let message = Task { try? await ann.send("room.create", ["room": "lobby"], deadline: .seconds(60)) }
            try await eventually("the handler waits") { try await stack.sql("\(waiting) false") == "1" }
            worker.signal(SIGTERM)
            try await eventually("it finishes what it has") { worker.log.contains("finishing what is in hand") }
            try await expectEndAtOnce(worker)
            _ = try await stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LOCK TABLE rooms%'")
            _ = try await lock.end(within: .seconds(10))
            // What it had is another's.
            try await stack.awaitReady(try await stack.startWorker())
            #expect(await message.value != nil)
            await ann.leave()
        }
    }
}
