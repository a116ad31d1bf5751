import SparqProtocol
import SparqWorker
import Synchronization
import Testing

/// What a repeat brings besides the first reply and its events, and what it must not bring.
@Suite struct RepeatTests {
    private func join(_ type: String, _ topic: String, _ connection: String) -> Envelope {
        envelope(type, #"{"topic":"\#(topic)","n":1}"#, connection: connection, id: type + topic)
    }

    /// A connection that broke after the commit: its client repeats on another one, and must hear the topic there.
    @Test(arguments: ["follow", "enter"]) func aRepeatSubscribesItsOwnConnection(type: String) async throws {
        try await Stack.with { stack in
            var router = Router.posting
            let effects: @Sendable (Post) -> [Effect] = { message in
                let topic = Topic(rawValue: message.topic)
                return [.subscribe(topic), .append(to: topic, Note(n: 1)), .reply(Note(n: 1))]
            }
            router.on("follow", Post.self) { message, _ in effects(message) }
            router.onTransaction("enter", Post.self) { message, _, _ in effects(message) }
            let node = try await stack.node()
            try await stack.worker(router)
            for (index, connection) in ["c1", "c2"].enumerated() {
                try await stack.send([join(type, "room:a", connection)])
                try await node.wait(for: "the reply") { $0.dones.count > index }
            }
            #expect(node.dones.last?.reply?.text == #"{"re":"\#(type)room:a","ok":true,"data":{"n":1},"repeat":true}"#)
            try await node.wait(for: "both subscriptions") { $0.subscribed == ["c1": "room:a", "c2": "room:a"] }
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
        }
    }

    @Test func aRepeatDoesNotBringBackWhatIsForbiddenByNow() async throws {
        try await Stack.with { stack in
            var router = Router.posting
            router.onTransaction("enter", Post.self) { message, _, _ in
                [.subscribe(Topic(rawValue: message.topic)), .append(to: .room("a"), Note(n: 1)), .reply(Note(n: 1))]
            }
            let node = try await stack.node()
            try await stack.worker(router)
            for (index, connection) in ["c1", "c2"].enumerated() {
                try await stack.send([join("enter", "room:secret", connection)])
                try await node.wait(dones: index + 1)
            }
            // What comes behind it shows that nothing else is on its way.
            try await stack.send([envelope("echo", "{}", connection: "c2", ordinal: 2)])
            try await node.wait(dones: 3)
            #expect(node.deliveries.subscribed == ["c1": "room:secret"])
        }
    }

    @Test func whatTookEffectIsAnsweredThoughTheHandlerWouldRefuseItByNow() async throws {
        try await Stack.with { stack in
            let isMember = Atomic(true)
            var router = Router()
            router.on("say", Post.self) { message, _ in
                guard isMember.load(ordering: .relaxed) else { throw Refusal(.forbidden, "No.") }
                return [.append(to: .room("a"), Note(n: message.n)), .reply(Note(n: message.n))]
            }
            let node = try await stack.node()
            try await stack.worker(router)
            let json = #"{"topic":"","n":1}"#
            try await stack.send([envelope("say", json, id: "m")])
            try await node.wait(dones: 1)
            isMember.store(false, ordering: .relaxed)
            try await stack.send([
                envelope("say", json, ordinal: 2, id: "m"), envelope("say", "{}", ordinal: 3, id: "m"),
                envelope("say", json, ordinal: 4, id: "n"),
            ])
            try await node.wait(dones: 4)
            let replies = node.dones.sorted { $0.ordinal < $1.ordinal }.map { $0.reply?.text }
            #expect(replies[1] == #"{"re":"m","ok":true,"data":{"n":1},"repeat":true}"#)
            #expect(replies[2] == #"{"re":"m","ok":true,"data":{"n":1},"repeat":true,"mismatch":true}"#)
            #expect(replies[3]?.contains("forbidden") == true)
            #expect(try await stack.count("SELECT count(*) FROM inbox") == 1)
        }
    }

    /// A worker that slept for long, or its message's second delivery, brings `$connect` behind the `$disconnect`.
    @Test func aConnectionThatHasEndedDoesNotBeginAgain() async throws {
        try await Stack.with { stack in
            var router = Router()
            router.onConnect { _ in [.append(to: .room("presence"), Note(n: 1)), .publish(to: .room("presence"), Note(n: 2))] }
            router.onDisconnect { _ in [.append(to: .room("presence"), Note(n: 0))] }
            let node = try await stack.node()
            try await stack.worker(router)
            try await stack.send([sync(["room:presence": 0], version: 1)])
            try await node.wait(for: "the page") { !$0.pages.isEmpty }
            let open = envelope("$connect", #"{"type":"$connect"}"#, connection: "c1")
            let close = envelope("$disconnect", #"{"type":"$disconnect"}"#, connection: "c1", ordinal: 2)
            for (index, message) in [open, close, open, close].enumerated() {
                try await stack.send([message])
                try await node.wait(for: "it is done") { deliveries in Set(deliveries.dones.map(\.ordinal)).count > min(index, 1) }
            }
            // Never run, and then too late: the front said goodbye without waiting for it.
            try await stack.send([envelope("$disconnect", "{}", connection: "late", ordinal: 2)])
            try await node.wait(for: "its end") { $0.dones.contains { $0.connection == "late" } }
            try await stack.send([envelope("$connect", "{}", connection: "late")])
            try await node.wait(for: "its beginning") { $0.dones.contains { $0.connection == "late" && $0.ordinal == 1 } }
            #expect(try await stack.count("SELECT count(*) FROM events WHERE data::json ->> 'n' = '1'") == 1)
            #expect(try await stack.count("SELECT count(*) FROM events") == 3)
            #expect(node.events.count { $0.seq == nil } == 1, "who is there is announced once")
        }
    }
}

extension [SparqProtocol.Delivery] {
    /// Which connection was subscribed to what.
    fileprivate var subscribed: [String: String] {
        var subscribed: [String: String] = [:]
        for case .subscribe(let connection, let grants) in self { subscribed[connection] = grants.map(\.topic).joined(separator: " ") }
        return subscribed
    }
}
