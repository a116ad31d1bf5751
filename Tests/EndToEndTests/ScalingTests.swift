import Foundation
import SparqClient
import Testing

/// Workers come and go; clients do not notice.
@Suite(.timeLimit(.minutes(4))) struct ScalingTests {
    @Test func stoppingOneOfTwoWorkersAndStartingAThirdChangesNothing() async throws {
        try await Stack.with { stack, fronts in
            let (first, second) = (await stack.workers[0], await stack.workers[1])
            let ann = try await Person("ann", registeredAt: fronts[0], fronts: [fronts[0]])
            let bob = try await Person("bob", registeredAt: fronts[1], fronts: [fronts[1]])
            try await bob.subscribe("everyone")

            try await talk(ann, "a", 20)
            #expect(try await first.stop() == 0, "a worker drains and exits with 0")
            try await talk(ann, "b", 20)
            // The one that comes now must do all the work as soon as the other is gone.
            let third = try await stack.startWorker()
            try await stack.awaitReady(third)
            try await talk(ann, "c", 20)
            #expect(try await second.stop() == 0)
            try await talk(ann, "d", 20)

            let wanted = ["a", "b", "c", "d"].flatMap { letter in (1...20).map { "\(letter)\($0)" } }
            try await bob.awaitHeard("everyone", from: "ann", "d20")
            #expect(await bob.heard("everyone").map(\.text) == wanted)
            for person in [ann, bob] {
                #expect(await person.faults() == [])
                #expect(await person.client.counters.connections == 1, "a client had to reconnect")
                await person.leave()
            }
        }
    }

    @Test func aWorkerStartedLaterTakesItsShare() async throws {
        try await Stack.with(fronts: 1, workers: 1) { stack, fronts in
            let people = try await (1...8).asyncMap { try await Person("p0\($0)", registeredAt: fronts[0], fronts: fronts) }
            // The late one's traffic with the broker goes by us.
            let forwarder = try await Forwarder(to: try TestEnvironment.amqpURL(), defaultPort: 5_672)
            try await forwarder.open()
            let late = try await stack.startWorker(["SPARQ_AMQP_URL": try TestEnvironment.url(await stack.amqpURL, port: forwarder.port)])
            try await stack.awaitReady(late)
            let before = forwarder.bytesFromServer
            try await withThrowingTaskGroup(of: Void.self) { group in
                for person in people { group.addTask { try await talk(person, "x", 40) } }
                try await group.waitForAll()
            }
            // 320 messages of well over 100 bytes; a tenth of them is the least that one calls a share.
            let share = forwarder.bytesFromServer - before
            #expect(share > 32 * 100, "the late worker got \(share) bytes")
            #expect(try await late.stop() == 0)
            for person in people {
                #expect(await person.faults() == [])
                await person.leave()
            }
            await forwarder.close()
        }
    }
}

/// Says `count` things, one after the other: `<letter>1`, `<letter>2`…
func talk(_ person: Person, _ letter: String, _ count: Int) async throws {
    for number in 1...count { try await person.send("sendMessage", ["text": "\(letter)\(number)"]) }
}
