import Foundation
import SparqClient
import Testing

/// A worker that does not end, but says nothing any more.
@Suite(.timeLimit(.minutes(3))) struct SilentWorkerTests {
    @Test func whatASleepingWorkerHoldsGoesToAnotherByItself() async throws {
        try await Stack.with(fronts: 1) { stack, fronts in
            let sleeper = await stack.workers[0]
            let people = try await (0..<8).asyncMap { try await Person("p0\($0)", registeredAt: fronts[0], fronts: fronts) }
            sleeper.signal(SIGSTOP)
            let start = ContinuousClock.now
            let times = try await withThrowingTaskGroup(of: Duration.self) { group in
                for person in people {
                    group.addTask {
                        for _ in 0..<3 { try await person.send("sendMessage", ["text": "hello"], deadline: .seconds(60)) }
                        return ContinuousClock.now - start
                    }
                }
                return try await group.reduce(into: [Duration]()) { $0.append($1) }
            }
            // Each batch is one worker's or the other's, in turn: of three in a row the sleeper gets one. The broker gives a silent one up after two to three heartbeats of 5 s.
            let longest = times.max() ?? .zero
            #expect(longest > .seconds(3), "the sleeper had nothing: \(times)")
            #expect(longest < .seconds(25), "\(times)")
            sleeper.signal(SIGCONT)
            for person in people { await person.leave() }
            #expect(try await sleeper.stop() == 0, "it goes on when it wakes, and ends in order")
            #expect(try await stack.sql("SELECT seq FROM topics WHERE topic = 'everyone'") == "24")
        }
    }
}
