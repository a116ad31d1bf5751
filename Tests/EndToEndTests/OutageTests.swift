import Foundation
import PlainHTTP
import SparqClient
import SparqWire
import Testing

/// No worker for many deadlines. `SPARQ_TEST_OUTAGE=5000 FILTER=OutageTests make test` does it with as many clients for ten minutes, with the
/// deadlines that fronts have by default.
@Suite(.timeLimit(.minutes(20))) struct OutageTests {
    private static let long = ProcessInfo.processInfo.environment["SPARQ_TEST_OUTAGE"].flatMap { Int($0) }
    private static let clients = long ?? 200
    private static let deadline: Duration = long == nil ? .milliseconds(500) : .seconds(10)
    private static let outage: Duration = long == nil ? deadline * 30 : .seconds(600)

    /// Sockets stay, what is said on them is answered `unavailable`, and the queue does not grow with the time that it lasts.
    @Test func clientsThroughAnOutageOfTheWorkersLeaveOneMessageEachBehindAtMost() async throws {
        let lease = ["SPARQ_LEASE_MS": "\(Int(min(Self.deadline * 3, .seconds(15)) / .milliseconds(1)))"]
        let settings = ["SPARQ_REPLY_DEADLINE_MS": "\(Int(Self.deadline / .milliseconds(1)))", "SPARQ_DEV_COOKIE": "true"]
        try await Stack.with(fronts: 1, workers: 1, front: settings.merging(lease) { $1 }, worker: lease) { stack, fronts in
            func person(_ name: String) async throws -> Person {
                let person = try Person(name, token: "", fronts: fronts, headers: [("Cookie", "username=\(name)")])
                await person.start()
                return person
            }
            let last = Self.clients - 1
            _ = try await stack.sql(
                "INSERT INTO users (name, display, password, origin) SELECT n, n, '', '' FROM (SELECT 'user-' || generate_series(0, \(last))) u (n)"
            )
            var people: [Person] = []
            for first in stride(from: 0, to: Self.clients, by: 100) {
                let some = try await (first..<min(first + 100, Self.clients)).asyncMap { try await person("user-\($0)") }
                for person in some { try await eventually("\(person.name) is welcome") { await person.node != nil } }
                people += some
            }

            #expect(try await stack.workers[0].stop() == 0)
            // Each to itself: what is said to all would come to each of them. That takes accounts, which the development cookie does not.
            let talks = people.map { person in
                Task { try await person.send("direct.send", ["to": person.name, "text": "x"], deadline: Self.outage + .seconds(120)) }
            }
            try await eventually("not ready") { await fronts[0].status("/readyz") == 503 }
            let late = try await (0..<50).asyncMap { try await person("late\($0)") }
            let (staying, leaving) = (people.dropLast(50), people.suffix(50))
            for person in leaving { await person.leave() }
            let answer = try await fronts[0].post(#"{"type":"who"}"#)
            #expect(answer.status == 503 && answer.text.contains("unavailable"))
            try await Task.sleep(for: Self.outage)

            let left = try await WorkQueue.envelopes(of: stack)
            // What is of no connection is the node's own: its leases.
            let said = left.filter { $0.type != SystemType.disconnect && $0.connection != nil }
            let own = left.count { $0.connection == nil }
            print("after \(Self.outage) without a worker: \(left.count) envelopes of \(people.count) clients, \(own) of the node")
            #expect(!left.contains { $0.type == SystemType.connect })
            #expect(!said.isEmpty && said.count <= people.count && Set(said.map(\.connection)).count == said.count)
            #expect(own <= 2, "leases do not outlive their time")
            #expect(left.count { $0.type == SystemType.disconnect } == leaving.count, "no end is lost, and nobody else's socket was closed")

            let back = ContinuousClock.now
            _ = try await stack.startWorker()
            for talk in talks.prefix(staying.count) { _ = try await talk.value }
            print("a worker has answered all of them after \(ContinuousClock.now - back)")
            for person in staying {
                #expect(await person.faults() == [])
                #expect(await person.client.counters.connections == 1, "\(person.name)'s socket was closed")
            }
            for person in late { try await eventually("\(person.name) is welcome") { await person.node != nil } }
            for person in staying + late { await person.leave() }
        }
    }
}
