import Foundation
import SparqClient
import SparqProtocol
import Testing

/// No worker for many deadlines.
@Suite(.timeLimit(.minutes(4))) struct OutageTests {
    private static let deadlineMilliseconds = 500

    /// Sockets stay, what is said on them is answered `unavailable`, and the queue does not grow with the time that it lasts.
    @Test func clientsThroughAnOutageOfTheWorkersLeaveOneMessageEachBehindAtMost() async throws {
        let lease = ["SPARQ_LEASE_MS": "1500"]
        let settings = ["SPARQ_REPLY_DEADLINE_MS": "\(Self.deadlineMilliseconds)", "SPARQ_DEV_COOKIE": "true"]
        try await Stack.with(fronts: 1, workers: 1, front: settings.merging(lease) { $1 }, worker: lease) { stack, fronts in
            func person(_ name: String) async throws -> Person {
                let person = try Person(name, token: "", fronts: fronts, headers: [("Cookie", "username=\(name)")])
                await person.start()
                return person
            }
            let people = try await (0..<200).asyncMap { try await person("p\($0)") }
            for person in people { try await eventually("\(person.name) is welcome") { await person.node != nil } }

            #expect(try await stack.workers[0].stop() == 0)
            let talks = people.map { person in Task { try await person.send("sendMessage", ["text": "x"], deadline: .seconds(120)) } }
            try await eventually("not ready") { await fronts[0].status("/readyz") == 503 }
            let late = try await (0..<50).asyncMap { try await person("late\($0)") }
            let (staying, leaving) = (people.prefix(150), people.suffix(50))
            for person in leaving { await person.leave() }
            let answer = try await fronts[0].post(#"{"type":"who"}"#)
            #expect(answer.status == 503 && answer.text.contains("unavailable"))
            try await Task.sleep(for: .milliseconds(30 * Self.deadlineMilliseconds))

            let left = try await WorkQueue.envelopes(of: stack)
            let connections = Dictionary(grouping: left.filter { $0.type != SystemType.disconnect }, by: \.connection)
            print("after 30 deadlines without a worker: \(left.count) envelopes of \(people.count) clients")
            #expect(!left.contains { $0.type == SystemType.connect })
            #expect(connections.count <= people.count && connections.values.allSatisfy { $0.count == 1 })
            #expect(left.count { $0.type == SystemType.disconnect } == leaving.count, "no end is lost, and nobody else's socket was closed")

            _ = try await stack.startWorker()
            for talk in talks.prefix(staying.count) { _ = try await talk.value }
            for person in staying {
                #expect(await person.faults() == [])
                #expect(await person.client.counters.connections == 1, "\(person.name)'s socket was closed")
            }
            for person in late { try await eventually("\(person.name) is welcome") { await person.node != nil } }
            for person in staying + late { await person.leave() }
        }
    }
}
