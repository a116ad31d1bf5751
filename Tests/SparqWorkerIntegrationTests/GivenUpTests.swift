import SparqWire
import SparqWorker
import Synchronization
import Testing

/// What nobody waits for any more, by the clock of the node that it came from.
@Suite(.timeLimit(.minutes(1))) struct GivenUpTests {
    private static func at(_ seconds: Int, _ envelope: Envelope) -> Envelope {
        var envelope = envelope
        envelope.receivedAt = 1_000_000 + seconds * 1000
        return envelope
    }

    private static var router: (Router, () -> [String]) {
        final class Seen: Sendable { let list = Mutex<[String]>([]) }
        let seen = Seen()
        var router = Router.posting
        router.onConnect { context in
            seen.list.withLock { $0.append("+\(context.connection ?? "")") }
            return [.append(to: .room("presence"), Note(n: 1))]
        }
        router.onDisconnect { context in
            seen.list.withLock { $0.append("-\(context.connection ?? "")") }
            return []
        }
        return (router, { seen.list.withLock { $0.sorted() } })
    }

    @Test func aConnectionWhoseSocketIsLongClosedDoesNotBeginAndAllThatWasAcceptedTakesEffect() async throws {
        try await Stack.with { stack in
            let (router, seen) = Self.router
            let node = try await stack.node()
            try await stack.worker(router)
            try await stack.send([Self.at(100, lease([]))])
            try await node.wait(for: "the lease") { !$0.leases.isEmpty }
            let old = [
                envelope("$connect", #"{"type":"$connect"}"#, connection: "c1"),
                envelope("subscribe", #"{"topics":{"room:a":null}}"#, connection: "c1", ordinal: 2, id: "s"),
                envelope("unsubscribe", #"{"topics":["room:a"]}"#, connection: "c1", ordinal: 3, id: "u"),
                post("room:a", 1, connection: "c1", ordinal: 4, id: "m"), post("room:a", 2, connection: "c1", ordinal: 5),
                envelope("echo", "{}", connection: "c1", ordinal: 6, id: "e"),
                envelope("$disconnect", #"{"type":"$disconnect"}"#, connection: "c1", ordinal: 7),
            ]
            try await stack.send(old.map { Self.at(39, $0) })
            try await stack.send([Self.at(41, envelope("$connect", #"{"type":"$connect"}"#, connection: "c2"))])
            try await node.wait(dones: 8)
            #expect(seen() == ["+c2", "-c1"])
            let replies = Dictionary(
                uniqueKeysWithValues: node.dones.filter { $0.connection == "c1" }.map { ($0.ordinal, $0.reply?.text ?? "") }
            )
            // As a front takes it that has slept all the time: it closes the socket with 1011, and asks for no new session.
            #expect(replies[1]?.contains(#""code":"internal""#) == true)
            for ordinal in 2...3 { #expect(replies[ordinal]?.contains(#""code":"unavailable""#) == true) }
            for ordinal in 4...6 { #expect(replies[ordinal]?.contains(#""ok":true"#) == true) }
            #expect(!node.deliveries.contains { if case .subscribe = $0 { true } else { false } })
            #expect(try await stack.count("SELECT count(*) FROM events WHERE topic = 'room:a'") == 2)
            #expect(try await stack.count("SELECT count(*) FROM events WHERE topic = 'room:presence'") == 1)
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    /// A worker may have died between its commit and its publishing.
    @Test func aConnectionThatBeganIsRepeatedHoweverLate() async throws {
        try await Stack.with { stack in
            let (router, seen) = Self.router
            let node = try await stack.node()
            try await stack.worker(router)
            try await stack.send([sync(["room:presence": 0], version: 1)])
            try await node.wait(for: "the page") { !$0.pages.isEmpty }
            let connect = Self.at(0, envelope("$connect", #"{"type":"$connect"}"#))
            try await stack.send([connect])
            try await node.wait(dones: 1)
            try await stack.send([Self.at(100, lease(["room:presence"]))])
            try await node.wait(for: "the lease") { !$0.leases.isEmpty }
            try await stack.send([connect])
            try await node.wait(dones: 2)
            try await node.wait(for: "the event again") { $0.events.count == 2 }
            #expect(seen() == ["+c1"])
            #expect(node.dones[1].reply == nil)
        }
    }

    /// Its clock is not known: no other machine's counts.
    @Test func nothingOfANodeThatSaysNothingIsGivenUp() async throws {
        try await Stack.with { stack in
            let (router, seen) = Self.router
            let node = try await stack.node()
            try await stack.worker(router)
            try await stack.send([Self.at(100, lease([], node: "n2"))])
            try await stack.send([Self.at(100, lease([]))])
            try await node.wait(for: "the lease") { !$0.leases.isEmpty }
            try await stack.send([Self.at(0, envelope("$connect", "{}", node: "n3", connection: "c3"))])
            // Set back: what it says last counts.
            try await stack.send([Self.at(10, lease([], version: 2))])
            try await node.wait(for: "the lease") { $0.leases.count == 2 }
            try await stack.send([Self.at(0, envelope("$connect", "{}", connection: "c1"))])
            try await node.wait(dones: 1)
            while seen() != ["+c1", "+c3"] { try await Task.sleep(for: .milliseconds(5)) }
        }
    }
}
