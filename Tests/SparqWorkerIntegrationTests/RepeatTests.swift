import SparqWire
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

    /// `on` runs the handler again, which would say no by now; `onTransaction` does not.
    @Test(arguments: ["follow", "enter"]) func aRepeatDoesNotBringBackWhatIsForbiddenByNow(type: String) async throws {
        try await Stack.with { stack in
            let isOpen = Atomic(true)
            var router = Router.posting
            let effects: @Sendable (Post) throws -> [Effect] = { message in
                guard isOpen.load(ordering: .relaxed) else { throw Refusal(.forbidden, "No.") }
                return [
                    .subscribe(Topic(rawValue: message.topic)), .subscribe(.room("open")), .append(to: .room("a"), Note(n: 1)),
                    .reply(Note(n: 1)),
                ]
            }
            router.on("follow", Post.self) { message, _ in try effects(message) }
            router.onTransaction("enter", Post.self) { message, _, _ in try effects(message) }
            let node = try await stack.node()
            try await stack.worker(router)
            for (index, connection) in ["c1", "c2"].enumerated() {
                try await stack.send([join(type, "room:secret", connection)])
                try await node.wait(dones: index + 1)
                isOpen.store(false, ordering: .relaxed)
            }
            #expect(node.dones.last?.reply?.text.contains(#""repeat":true"#) == true)
            // What comes behind it shows that nothing else is on its way.
            try await stack.send([envelope("echo", "{}", connection: "c2", ordinal: 2)])
            try await node.wait(dones: 3)
            #expect(node.deliveries.subscribed == ["c1": "room:secret room:open", "c2": "room:open"])
        }
    }

    /// As after a worker that died between commit and publish: whoever asked is logged in, but not whoever sends the same again later.
    @Test(arguments: ["become", "turn"]) func aRepeatOfTheSameDeliveryBeginsItsSessionAnew(type: String) async throws {
        try await Stack.with { stack in
            let isAllowed = Atomic(true)
            var router = Router.posting
            let effects: @Sendable () throws -> [Effect] = {
                guard isAllowed.load(ordering: .relaxed) else { throw Refusal(.forbidden, "No.") }
                return [.append(to: .room("a"), Note(n: 1)), .beginSession(user: "bob")]
            }
            router.on("become", Post.self) { _, _ in try effects() }
            router.onTransaction("turn", Post.self) { _, _, _ in try effects() }
            let node = try await stack.node()
            try await stack.worker(router)
            for (index, connection) in ["c1", "c1", "c2"].enumerated() {
                try await stack.send([join(type, "room:a", connection)])
                try await node.wait(dones: index + 1)
                isAllowed.store(false, ordering: .relaxed)
            }
            #expect(node.dones.map(\.session) == [.begin(user: "bob"), .begin(user: "bob"), nil])
            #expect(node.dones.map { $0.reply?.text.contains("repeat") } == [false, true, true])
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
        }
    }

    /// One message whose policy fails goes to the dead letters; the other is none the worse.
    @Test func aPolicyThatFailsHoldsNobodyUp() async throws {
        try await Stack.with { stack in
            let isFirst = Atomic(true)
            var router = Router.posting
            router.on("follow", Post.self) { message, _ in
                guard isFirst.load(ordering: .relaxed) else { throw Refusal(.forbidden, "No.") }
                return [.subscribe(Topic(rawValue: message.topic)), .append(to: .room("a"), Note(n: 1))]
            }
            router.onSubscribe(kind: "broken") { _, _ in throw Stack.Missing(description: "a policy's mistake") }
            let node = try await stack.node()
            try await stack.worker(router)
            let messages = [join("follow", "broken:1", "c1"), join("follow", "room:b", "c2")]
            try await stack.send(messages)
            try await node.wait(dones: 2)
            isFirst.store(false, ordering: .relaxed)
            try await stack.send(messages)
            try await node.wait(dones: 4)
            let replies = node.dones.suffix(2).sorted { $0.connection < $1.connection }.map { $0.reply?.text ?? "" }
            #expect(replies.first?.contains("internal") == true)
            #expect(replies.last == #"{"re":"followroom:b","ok":true,"repeat":true}"#)
            #expect(try await stack.deadLetters().count == 1)
        }
    }

    /// As after a worker that died between commit and publish.
    @Test(arguments: ["expel", "banish"]) func aRepeatEndsSubscriptionsAnew(type: String) async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(Router.expelling)
            try await stack.send([sync(["room:a": 0], version: 1)])
            try await node.wait(for: "the page") { !$0.pages.isEmpty }
            let message = join(type, "room:a", "c1")
            for count in 1...2 {
                try await stack.send([message])
                try await node.wait(for: "what changes for all") { deliveries in
                    deliveries.ends
                        == Array(repeating: Array<SparqWire.Delivery>.endsOfExpelling(own: "c1"), count: count).flatMap { $0 }
                }
            }
            #expect(node.dones.last?.reply?.text.contains(#""repeat":true"#) == true)
            // Its client sends it again, from another connection and perhaps much later: others may be back with good reason.
            try await stack.send([join(type, "room:a", "c2")])
            try await node.wait(dones: 3)
            try await stack.send([envelope("echo", "{}", connection: "c2", ordinal: 2)])
            try await node.wait(dones: 4)
            #expect(node.deliveries.ends.dropFirst(6) == [.unsubscribe(.connection("c2"), ordinal: 1, topics: ["room:a"])])
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
        }
    }

    @Test(arguments: ["expel", "banish"]) func anotherMessageUnderTheSameIdChangesNothing(type: String) async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(Router.expelling)
            try await stack.send([sync(["room:a": 0, "room:b": 0], version: 1)])
            try await node.wait(for: "the pages") { $0.pages.count == 2 }
            try await stack.send([join(type, "room:a", "c1")])
            try await node.wait(for: "what changes") { $0.ends.count == 3 && $0.subscribed.count == 1 }
            var other = join(type, "room:b", "c1")
            other.id = type + "room:a"
            try await stack.send([other])
            try await node.wait(dones: 2)
            #expect(node.dones.last?.reply?.text == #"{"re":"\#(type)room:a","ok":true,"repeat":true,"mismatch":true}"#)
            try await stack.send([envelope("echo", "{}", connection: "c1", ordinal: 2)])
            try await node.wait(dones: 3)
            #expect(node.deliveries.ends == .endsOfExpelling(own: "c1"))
            #expect(node.deliveries.count { if case .subscribe = $0 { true } else { false } } == 1)
        }
    }

    /// A `$disconnect` looks for its `$connect`, and must not repeat what that did to others.
    @Test func theEndOfAConnectionRepeatsNothingOfItsBeginning() async throws {
        try await Stack.with { stack in
            var router = Router.posting
            router.onConnect { _ in [.append(to: .room("presence"), Note(n: 1)), .disconnect(.user("bob")), .subscribe(.room("a"))] }
            router.onDisconnect { _ in [.append(to: .room("presence"), Note(n: 0))] }
            let node = try await stack.node()
            try await stack.worker(router)
            try await stack.send([sync(["room:presence": 0], version: 1)])
            try await node.wait(for: "the page") { !$0.pages.isEmpty }
            try await stack.send([envelope("$connect", #"{"type":"$connect"}"#)])
            try await node.wait(for: "the beginning") { $0.ends.count == 1 && $0.subscribed.count == 1 }
            try await stack.send([envelope("$disconnect", #"{"type":"$disconnect"}"#, ordinal: 2)])
            try await node.wait(for: "the end") { $0.events.count == 2 }
            try await stack.send([envelope("echo", "{}", connection: "c2")])
            try await node.wait(for: "the echo") { $0.dones.contains { $0.connection == "c2" } }
            #expect(node.deliveries.ends == [.disconnect(.user("bob"), origin: "c1 1 0", code: 4003, reason: "")])
            #expect(node.deliveries.count { if case .subscribe = $0 { true } else { false } } == 1)
            #expect(node.events.count == 2)
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

extension [SparqWire.Delivery] {
    /// Which connection was subscribed to what.
    fileprivate var subscribed: [String: String] {
        var subscribed: [String: String] = [:]
        for case .subscribe(let connection, _, let grants) in self { subscribed[connection] = grants.map(\.topic).joined(separator: " ") }
        return subscribed
    }

    /// What ended subscriptions and connections.
    fileprivate var ends: [SparqWire.Delivery] {
        filter {
            switch $0 {
            case .unsubscribe, .disconnect: true
            default: false
            }
        }
    }

    fileprivate static func endsOfExpelling(own connection: String) -> [SparqWire.Delivery] {
        [
            .unsubscribe(.connection(connection), ordinal: 1, topics: ["room:a"]),
            // By these a node knows them again.
            .unsubscribe(.user("bob"), origin: "\(connection) 1 0", topics: ["room:a"]),
            .disconnect(.user("bob"), origin: "\(connection) 1 1", code: 4007, reason: "out,\n\tnow"),
        ]
    }
}

extension Router {
    /// `expel` and `banish` end the subscriptions of the own connection and of a user to a topic, the latter in a transaction.
    fileprivate static var expelling: Router {
        let effects: @Sendable (Post) -> [Effect] = { message in
            let topic = Topic(rawValue: message.topic)
            return [
                .append(to: topic, Note(n: 1)), .unsubscribe(topic), .unsubscribe(topic, user: "bob"),
                .disconnect(.user("bob"), code: 4007, reason: "out,\n\tnow"), .subscribe(.room("log")),
            ]
        }
        var router = Router.posting
        router.on("expel", Post.self) { message, _ in effects(message) }
        router.onTransaction("banish", Post.self) { message, _, _ in effects(message) }
        return router
    }
}
