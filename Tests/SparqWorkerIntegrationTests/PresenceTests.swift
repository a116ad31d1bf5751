import SparqAMQP
import Foundation
import SparqPostgres
import SparqWire
import SparqWorker
import Testing

/// Who hears that a user came or went, whatever took the connections away.
@Suite(.timeLimit(.minutes(2))) struct PresenceTests {
    fileprivate struct Seen: EventData, Decodable {
        static let eventType = "seen"
        var user: String
        var online: Bool
        var at: String
    }

    fileprivate struct Said: Decodable {
        var type: String
        var data: Seen
    }

    /// Says it to the topic `room:watch`.
    private static var router: Router {
        var router = Router.posting
        router.onPresence { presence, _ in
            [.publish(to: .room("watch"), Seen(user: presence.user, online: presence.isOnline, at: presence.at))]
        }
        return router
    }

    private static func leave(_ topics: [String], version: Int, node: String) -> Envelope {
        let names = topics.map { #""\#($0)""# }.joined(separator: ",")
        return envelope("$leave", #"{"version":\#(version),"topics":[\#(names)]}"#, node: node, connection: nil, user: nil)
    }

    private static func reap(_ configuration: inout WorkerConfiguration) {
        configuration.leaseDuration = .seconds(1)
        configuration.reapInterval = .milliseconds(50)
    }

    /// A node that listens to what is said of others.
    private static func watcher(_ stack: Stack) async throws -> FakeNode {
        let watcher = try await stack.node("watcher")
        try await stack.pool.query("INSERT INTO nodes (node, expires_at) VALUES ('watcher', now() + '1 hour'::interval)")
        try await stack.pool.query("INSERT INTO directory VALUES ('room:watch', 'watcher', 1, 1)")
        return watcher
    }

    @Test func usersComeAndGoWithTheNodesInterest() async throws {
        try await Stack.with { stack in
            let watcher = try await Self.watcher(stack)
            try await stack.worker(Self.router)
            try await stack.send([sync(["user:alice": 0, "room:x": 0], version: 1)])
            try await watcher.wait(for: "alice") { $0.says("alice", true) }
            // A second device elsewhere; when the first goes she is there still.
            try await stack.send([sync(["user:alice": 0], version: 1, node: "n2")])
            try await watcher.wait(for: "alice twice") { $0.seen.count == 2 }
            try await stack.send([Self.leave(["user:alice"], version: 2, node: "n1")])
            try await watcher.wait(for: "alice thrice") { $0.seen.count == 3 }
            #expect(watcher.deliveries.seen.allSatisfy { $0.user == "alice" && $0.online })
            try await stack.send([Self.leave(["user:alice", "room:x"], version: 2, node: "n2")])
            try await watcher.wait(for: "her end") { $0.says("alice", false) }
            let times = watcher.deliveries.seen.map(\.at)
            #expect(times == times.sorted() && Set(times).count == 4)
        }
    }

    @Test func theUsersOfADeadNodeGoOffline() async throws {
        try await Stack.with { stack in
            let watcher = try await Self.watcher(stack)
            try await stack.pool.query("INSERT INTO nodes (node, expires_at) VALUES ('dead', now()), ('n2', now() + '1 hour'::interval)")
            try await stack.pool.query("INSERT INTO directory SELECT 'user:u' || n, 'dead', 1, 1 FROM generate_series(1, 1200) n")
            try await stack.pool.query("INSERT INTO directory VALUES ('user:u7', 'n2', 1, 1), ('room:u8', 'dead', 1, 1)")
            try await stack.pool.query("INSERT INTO directory VALUES ('user:lost', 'orphan', 1, 1)")
            for _ in 0..<2 { try await stack.worker(Self.router, Self.reap) }
            try await watcher.wait(for: "all") { Set($0.seen.map(\.user)).count == 1201 }
            let seen = watcher.deliveries.seen
            #expect(Set(seen.filter(\.online).map(\.user)) == ["u7"])
            #expect(Set(seen.filter { !$0.online }.map(\.user)) == Set((1...1200).map { "u\($0)" } + ["lost"]).subtracting(["u7"]))
            while try await stack.count("SELECT count(*) FROM losses WHERE NOT announced") > 0 {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    /// A front that restarts under its id, one whose rows are not what it says, and one that goes for good.
    @Test(arguments: ["restarted", "mismatched", "leaving"])
    func whoeverIsLeftBehindByANodeGoesOffline(_ how: String) async throws {
        try await Stack.with { stack in
            let watcher = try await Self.watcher(stack)
            let node = try await stack.node()
            try await stack.worker(Self.router, Self.reap)
            try await stack.send([lease([])])
            try await node.wait(for: "a lease") { !$0.leases.isEmpty }
            try await stack.send([sync(["user:alice": 0], version: 1)])
            try await watcher.wait(for: "alice") { $0.says("alice", true) }
            switch how {
            case "restarted": try await stack.send([lease([], version: 0, incarnation: "i2")])
            case "mismatched": try await stack.send([lease([], version: 1)])
            default:
                let fields = #""incarnation":"i1","version":1,"topicCount":0,"checksum":0,"settled":true,"leaving":true"#
                try await stack.send([envelope("$lease", "{\(fields)}", connection: nil, user: nil)])
            }
            try await watcher.wait(for: "her end") { $0.says("alice", false) }
        }
    }

    /// The last word was said before it listened, or while it slept.
    @Test func aNodeThatBeginsToListenIsTold() async throws {
        try await Stack.with { stack in
            var router = Router()
            router.onPresence { presence, _ in
                [.publish(to: .presence(presence.user), Seen(user: presence.user, online: presence.isOnline, at: presence.at))]
            }
            let node = try await stack.node()
            try await stack.worker(router)
            try await stack.pool.query("INSERT INTO directory VALUES ('user:bob', 'n2', 1, 1)")
            for version in 1...2 {
                try await stack.send([sync(["presence:bob": 0, "presence:carl": 0], version: version)])
                try await node.wait(for: "both") { $0.seen.count == 2 * version }
            }
            #expect(node.deliveries.says("bob", true) && !node.deliveries.says("bob", false))
            #expect(node.deliveries.says("carl", false) && !node.deliveries.says("carl", true))
        }
    }

    /// The directory says so already, but the broker has nothing of it when the worker dies.
    @Test func anotherSaysWhatADeadWorkerCouldNot() async throws {
        try await Stack.with { stack in
            let broker = try Proxy(to: stack.amqp.hosts[0].port)
            defer { broker.close() }
            let watcher = try await Self.watcher(stack)
            try await stack.pool.query("INSERT INTO nodes (node, expires_at) VALUES ('dead', now() + '1 hour'::interval)")
            try await stack.pool.query("INSERT INTO directory VALUES ('user:bob', 'dead', 1, 1)")
            let worker = try await stack.worker(Self.router) {
                Self.reap(&$0)
                $0.amqp = stack.amqp(through: broker)
            }
            broker.freeze(.toBroker)
            try await stack.send([sync(["user:alice": 0], version: 1)])
            try await stack.pool.query("UPDATE nodes SET expires_at = now() WHERE node = 'dead'")
            let both = "SELECT (SELECT count(*) FROM directory WHERE topic = 'user:alice') + (SELECT count(*) FROM losses)"
            while try await stack.count(both) < 2 { try await Task.sleep(for: .milliseconds(5)) }
            broker.refuse(true)
            broker.cut()
            await worker.kill()
            #expect(watcher.deliveries.seen.isEmpty)
            try await stack.worker(Self.router, Self.reap)
            try await watcher.wait(for: "both") { $0.says("alice", true) && $0.says("bob", false) }
        }
    }

    /// What waits for the broker's word would keep leases from being taken.
    @Test func whatTheBrokerDoesNotTakeIsKeptForLater() async throws {
        try await Stack.with { stack in
            let broker = try Proxy(to: stack.amqp.hosts[0].port)
            defer { broker.close() }
            let watcher = try await Self.watcher(stack)
            try await stack.worker(Self.router) {
                Self.reap(&$0)
                $0.amqp = stack.amqp(through: broker)
            }
            broker.freeze(.toBroker)
            try await stack.send([sync(["user:alice": 0], version: 1)])
            while try await stack.count("SELECT count(*) FROM losses WHERE users = '{alice}'") == 0 {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(watcher.deliveries.seen.isEmpty)
            broker.freeze([])
            broker.cut()
            try await watcher.wait(for: "alice") { $0.says("alice", true) }
        }
    }

    /// Leases are answered while the handler hangs.
    @Test func aHandlerThatHangsHoldsUpNoNode() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            var router = Router.posting
            let entered = Delay()
            router.onPresence { _, _ in
                await entered.hang()
                return []
            }
            // One in hand would be all that it takes.
            try await stack.worker(router) { $0.nodePrefetch = 1 }
            try await stack.send([sync(["user:alice": 0], version: 1)])
            await entered.isHanging()
            for version in 1...3 { try await stack.send([lease(["user:alice"], version: version, settled: false)]) }
            try await node.wait(for: "the leases") { $0.leases.count == 3 }
            entered.end()
        }
    }
}

extension [SparqWire.Delivery] {
    /// What was said of users, in order.
    fileprivate var seen: [PresenceTests.Seen] {
        events.compactMap { event in
            (try? JSONDecoder().decode(PresenceTests.Said.self, from: Data(event.body))).flatMap { $0.type == "seen" ? $0.data : nil }
        }
    }

    fileprivate func says(_ user: String, _ online: Bool) -> Bool { seen.contains { $0.user == user && $0.online == online } }
}

/// Somebody hangs until they are let go.
private final class Delay: Sendable {
    private let (entered, entry) = AsyncStream.makeStream(of: Void.self)
    private let (ended, end_) = AsyncStream.makeStream(of: Never.self)

    func hang() async {
        entry.yield()
        for await _ in ended {}
    }

    func isHanging() async {
        var iterator = entered.makeAsyncIterator()
        await iterator.next()
    }

    func end() { end_.finish() }
}
