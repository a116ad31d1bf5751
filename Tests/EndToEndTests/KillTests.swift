import Foundation
import SparqClient
import Testing

/// SIGKILL in the middle of things: nothing is lost, repeated or reordered.
@Suite(.timeLimit(.minutes(5))) struct KillTests {
    @Test func clientsOfAKilledFrontGoOnWithTheOther() async throws {
        try await Stack.with { _, fronts in
            let ann = try await Person("ann", registeredAt: fronts[1], fronts: [fronts[1]])
            let bob = try await Person("bob", registeredAt: fronts[0], fronts: fronts)
            try await bob.subscribe("everyone", "user:bob")
            try await ann.send("room.create", ["room": "lobby"])
            try await bob.send("room.join", ["room": "lobby"])
            try await bob.subscribe("room:lobby")
            #expect(await bob.node == fronts[0].id)

            // Ann talks all the time; bob talks too, over the front that dies.
            async let annTalks: Void = talkEverywhere(ann, to: "bob", 60)
            async let bobTalks: Void = talk(bob, "b", 60)
            try await eventually("the talk is under way") { await bob.heard("everyone").count > 10 }
            try await fronts[0].process.killNow()
            _ = try await (annTalks, bobTalks)

            try await bob.awaitHeard("user:bob", from: "ann", "direct 60")
            try await bob.awaitHeard("everyone", from: "bob", "b60")
            try await bob.awaitHeard("everyone", from: "ann", "all 60")
            #expect(await bob.node == fronts[1].id)
            let everyone = await bob.heard("everyone")
            #expect(everyone.filter { $0.from == "ann" }.map(\.text) == (1...60).map { "all \($0)" })
            #expect(everyone.filter { $0.from == "bob" }.map(\.text) == (1...60).map { "b\($0)" })
            #expect(await bob.heard("room:lobby").map(\.text) == (1...60).map { "room \($0)" })
            #expect(await bob.heard("user:bob").map(\.text) == (1...60).map { "direct \($0)" })
            for topic in ["everyone", "room:lobby", "user:bob"] { await expectWithoutGap(bob, topic) }
            for person in [ann, bob] {
                #expect(await person.faults() == [])
                await person.leave()
            }
        }
    }

    @Test func everyMessageTakesEffectOnceThoughAWorkerIsKilled() async throws {
        try await Stack.with { stack, fronts in
            let doomed = await stack.workers[0]
            let people = try await (0..<6).asyncMap { try await Person("p0\($0)", registeredAt: fronts[$0 % 2], fronts: [fronts[$0 % 2]]) }
            let listener = people[0]
            try await listener.subscribe("everyone")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for person in people { group.addTask { try await talk(person, "x", 50) } }
                group.addTask {
                    try await eventually("the talk is under way") { await listener.heard("everyone").count > 30 }
                    try await doomed.killNow()
                }
                try await group.waitForAll()
            }
            try await eventually("everything is heard") { await listener.heard("everyone").count >= 300 }
            let heard = await listener.heard("everyone")
            #expect(heard.count == 300)
            for person in people {
                #expect(heard.filter { $0.from == person.name }.map(\.text) == (1...50).map { "x\($0)" }, "\(person.name)")
            }
            await expectWithoutGap(listener, "everyone")
            for person in people {
                #expect(await person.faults() == [])
                await person.leave()
            }
        }
    }

    @Test func aStoppedFrontMovesItsClientsFirst() async throws {
        try await Stack.with(workers: 1) { _, fronts in
            let ann = try await Person("ann", registeredAt: fronts[0], fronts: fronts)
            try await ann.subscribe("everyone")
            async let talking: Void = talk(ann, "a", 100)
            try await eventually("the talk is under way") { await ann.heard("everyone").count > 10 }
            #expect(try await fronts[0].process.stop() == 0, "a front drains and exits with 0")
            try await talking
            try await ann.awaitHeard("everyone", from: "ann", "a100")
            #expect(await ann.heard("everyone").map(\.text) == (1...100).map { "a\($0)" })
            #expect(await ann.faults() == [])
            await ann.leave()
        }
    }

    private func talkEverywhere(_ person: Person, to other: String, _ count: Int) async throws {
        for number in 1...count {
            try await person.send("sendMessage", ["text": "all \(number)"])
            try await person.send("room.send", ["room": "lobby", "text": "room \(number)"])
            try await person.send("direct.send", ["to": other, "text": "direct \(number)"])
        }
    }

    private func expectWithoutGap(_ person: Person, _ topic: String) async {
        let seqs = await person.seqs(topic)
        guard let first = seqs.first else { return #expect(Bool(false), "nothing came in \(topic)") }
        #expect(seqs == Array(first..<(first + seqs.count)), "\(topic): \(seqs)")
    }
}
