import Foundation
import SparqClient
import SparqWire
import Testing

/// Two fronts, two workers, people who talk across them.
@Suite(.timeLimit(.minutes(4))) struct TalkTests {
    @Test func allThreeKindsOfTalkCrossTheNodes() async throws {
        try await Stack.with { stack, fronts in
            let ann = try await Person("ann", registeredAt: fronts[0], fronts: [fronts[0]])
            let bob = try await Person("bob", registeredAt: fronts[1], fronts: [fronts[1]])
            for person in [ann, bob] { try await person.subscribe("everyone", "user:\(person.name)") }
            #expect(await ann.node == fronts[0].id)
            #expect(await bob.node == fronts[1].id)

            try await ann.send("sendMessage", ["text": "hello all"])
            try await bob.awaitHeard("everyone", from: "ann", "hello all")
            try await ann.awaitHeard("everyone", from: "ann", "hello all")

            try await ann.send("room.create", ["room": "lobby"])
            try await ann.subscribe("room:lobby")
            try await bob.send("room.join", ["room": "lobby"])
            try await bob.subscribe("room:lobby")
            try await bob.send("room.send", ["room": "lobby", "text": "hello room"])
            try await ann.awaitHeard("room:lobby", from: "bob", "hello room")

            try await ann.send("direct.send", ["to": "bob", "text": "hello bob"])
            try await bob.awaitHeard("user:bob", from: "ann", "hello bob")
            try await ann.awaitHeard("user:ann", from: "ann", "hello bob")

            #expect(try await ann.client.subscribe(["user:bob": nil]) == ["user:bob": .refused(.forbidden)])
            for person in [ann, bob] {
                #expect(await person.faults() == [])
                await person.leave()
            }
        }
    }

    @Test func aMessageForOneUserTravelsToNoOtherNode() async throws {
        try await Stack.with(workers: 1) { stack, fronts in
            let ann = try await Person("ann", registeredAt: fronts[0], fronts: [fronts[0]])
            let bob = try await Person("bob", registeredAt: fronts[0], fronts: [fronts[0]])
            let eve = try await Person("eve", registeredAt: fronts[1], fronts: [fronts[1]])
            for person in [ann, bob, eve] { try await person.subscribe("everyone", "user:\(person.name)") }
            let watches = try await fronts.asyncMap { try await NodeWatch($0, prefix: stack.prefix) }
            let secret = TestEnvironment.random("secret-")
            try await ann.send("direct.send", ["to": "bob", "text": secret])
            try await bob.awaitHeard("user:bob", from: "ann", secret)
            // What comes behind it on the other node shows that it will not come any more.
            let marker = TestEnvironment.random("marker-")
            try await ann.send("sendMessage", ["text": marker])
            try await eve.awaitHeard("everyone", from: "ann", marker)
            let (near, far) = (try await watches[0].seen(marker), try await watches[1].seen(marker))
            #expect(near.contains(secret), "the watch sees nothing at all")
            #expect(far.contains(marker))
            #expect(!far.contains(secret), "the message went to a node that has nobody for it")
            for watch in watches { try await watch.end() }
            for person in [ann, bob, eve] { await person.leave() }
        }
    }

    @Test func theOriginalsMessageWorksWithItsCookieInDevelopmentAlone() async throws {
        try await Stack.with(fronts: 2, workers: 1, front: ["SPARQ_DEV_COOKIE": "true"]) { stack, fronts in
            let strict = try await stack.startFront(["SPARQ_DEV_COOKIE": "false"])
            try await stack.awaitReady(strict)
            do {
                _ = try await RawSocket.open(strict, headers: ["Cookie": "username=ann"])
                Issue.record("a plain cookie was believed without the setting")
            } catch let refusal as RawSocket.Refused {
                #expect(refusal.status == 401)
            }
            let ann = try await RawSocket.open(fronts[0], headers: ["Cookie": "username=ann"])
            let bob = try await RawSocket.open(fronts[1], headers: ["Cookie": "username=bob"])
            // Nothing but the original's message: everyone who is connected hears it.
            try await eventually("both are connected and hear") {
                try await ann.send(text: #"{"type":"sendMessage","text":"from the original page"}"#)
                guard case .text(let text) = try await bob.next() else { return false }
                return text.contains("from the original page") && text.contains(#""from":"ann""#)
            }
            await ann.close()
            await bob.close()
        }
    }
}
