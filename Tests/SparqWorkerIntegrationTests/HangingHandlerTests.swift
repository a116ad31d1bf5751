import SparqAMQP
import SparqPostgres
import SparqWire
import SparqWorker
import Synchronization
import Testing

/// Handlers that do not end, with and without care for their cancellation.
@Suite(.timeLimit(.minutes(2))) struct HangingHandlerTests {
    /// Never ends, whatever happens to its task, until the test lets it.
    private final class Hole: Sendable {
        private let state = Mutex((waiters: [CheckedContinuation<Void, Never>](), isOpen: false))
        let entered = Atomic(0)
        /// The most that were in it at once.
        private let inside = Mutex((now: 0, most: 0))

        var most: Int { inside.withLock { $0.most } }

        func fall() async {
            entered.add(1, ordering: .relaxed)
            inside.withLock { inside in
                inside.now += 1
                inside.most = max(inside.most, inside.now)
            }
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    if !state.isOpen { state.waiters.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
            inside.withLock { $0.now -= 1 }
        }

        func open() {
            let waiters = state.withLock { state in
                state.isOpen = true
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
    }

    private static func isUnavailable(_ done: Done) -> Bool { done.reply?.text.contains(#""code":"unavailable""#) == true }
    private static func isFine(_ done: Done) -> Bool { done.reply?.text.contains(#""ok":true"#) == true }

    /// Neither one that is cancelled nor one that does not care holds a slot; others of its connection go on, and at last its sender is told.
    @Test(arguments: [false, true], [false, true]) func aHandlerHasItsTimeAndNoMore(ignoresCancellation: Bool, inATransaction: Bool)
        async throws
    {
        try await Stack.with { stack in
            let hole = Hole()
            defer { hole.open() }
            var router = Router.posting
            @Sendable func hang() async throws {
                if ignoresCancellation { await hole.fall() } else { try await Task.sleep(for: .seconds(3600)) }
            }
            if inATransaction {
                router.onTransaction("hang", RawMessage.self, timeLimit: .milliseconds(200)) { _, _, _ in
                    try await hang()
                    return [.append(to: .room("a"), Note(n: 1))]
                }
            } else {
                router.on("hang", RawMessage.self, timeLimit: .milliseconds(200)) { _, _ in
                    try await hang()
                    return [.append(to: .room("a"), Note(n: 1))]
                }
            }
            let (node, log) = (try await stack.node(), LogLines())
            let worker = try await stack.worker(router, log: log) { $0.prefetch = 2 }
            try await stack.send([envelope("hang", "{}", id: "m"), envelope("echo", "{}", ordinal: 2, id: "behind")])
            try await node.wait(for: "what is behind it") { $0.dones.contains { $0.ordinal == 2 && Self.isFine($0) } }
            try await node.wait(for: "its end") { $0.dones.contains { $0.ordinal == 1 && $0.reply != nil } }
            #expect(node.dones.last { $0.ordinal == 1 }?.reply?.text.contains(#""code":"internal""#) == true)
            // Named, with its ids.
            #expect(log.all.contains { $0.contains("did not end in its time") && $0.contains("hang") && $0.contains("alice") })
            // What ends too late changes nothing any more, and what a transaction held is free.
            hole.open()
            try await stack.send([post("room:a", 2, connection: "c2", user: "bob", id: "m")])
            try await node.wait(for: "the other's reply") { $0.dones.contains { $0.connection == "c2" && Self.isFine($0) } }
            await worker.shutDown()
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
            let letters = try await stack.deadLetters()
            #expect(letters.count == 1 && letters.first?.headers["reason"]?.stringValue?.hasPrefix("retries: ") == true)
            #expect(try await stack.workLeft() == 0)
        }
    }

    /// As many as the worker has slots, and database connections; then others have their turn.
    @Test func manyThatHangHoldUpNobodyForLong() async throws {
        try await Stack.with { stack in
            let hole = Hole()
            defer { hole.open() }
            var router = Router.posting
            router.onTransaction("hang", RawMessage.self, timeLimit: .milliseconds(300)) { _, _, _ in
                await hole.fall()
                return []
            }
            let node = try await stack.node()
            try await stack.worker(router) { $0.prefetch = 4 }
            for number in 1...12 { try await stack.send([envelope("hang", "{}", connection: "h\(number)", user: "h\(number)", id: "m")]) }
            for number in 1...20 {
                try await stack.send([post("room:a", number, connection: "c\(number)", user: "u\(number)", id: "m")])
            }
            try await node.wait(for: "the others", seconds: 10) { $0.dones.count(where: Self.isFine) == 20 }
        }
    }

    /// More than there are connections. Those that wait lose no attempt; those that hang lose theirs, whoever waits beside them.
    @Test(arguments: [false, true]) func whoHangsIsNotSparedByThoseWhoWait(inATransaction: Bool) async throws {
        try await Stack.with { stack in
            var router = Router.posting
            if inATransaction {
                router.onTransaction("hang", RawMessage.self, timeLimit: .milliseconds(200)) { _, _, _ in
                    try await Task.sleep(for: .seconds(3600))
                    return []
                }
            } else {
                router.on("hang", RawMessage.self, timeLimit: .milliseconds(200)) { _, context in
                    try await context.database.query("SELECT pg_sleep(3600)")
                    return []
                }
            }
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.worker(router, log: log) {
                $0.prefetch = 64
                $0.retryDelays = [.milliseconds(50), .milliseconds(50)]
            }
            try await stack.send((1...24).map { envelope("hang", "{}", connection: "h\($0)", user: "h\($0)", id: "m") })
            try await node.wait(for: "their ends", seconds: 60) {
                $0.dones.count { $0.reply?.text.contains(#""code":"internal""#) == true } == 24
            }
            #expect(try await stack.deadLetters().count == 24)
        }
    }

    /// More than may go on without a slot: they keep theirs, and the worker says that it does not get on.
    @Test func straysAreBounded() async throws {
        try await Stack.with { stack in
            let hole = Hole()
            defer { hole.open() }
            var router = Router.posting
            router.on("hang", RawMessage.self, timeLimit: .milliseconds(100)) { _, _ in
                await hole.fall()
                return [.reply(Note(n: 1))]
            }
            let (node, log) = (try await stack.node(), LogLines())
            let worker = try await stack.worker(router, log: log) {
                $0.prefetch = 8
                $0.strayHandlers = 2
                $0.retryDelays = [.milliseconds(50), .milliseconds(100)]
            }
            for number in 1...6 { try await stack.send([envelope("hang", "{}", connection: "h\(number)", user: "h\(number)")]) }
            try await log.reached(1, "cannot be left")
            try await worker.unready()
            #expect(hole.most <= 8)
            hole.open()
            try await worker.ready()
            try await node.wait(for: "all answers") { $0.dones.count { $0.reply != nil } >= 6 }
        }
    }

    /// A client that hears nothing sends its message again; that takes no second run, and no slot for as long.
    @Test func oneCopyRunsAtATime() async throws {
        try await Stack.with { stack in
            let hole = Hole()
            defer { hole.open() }
            var router = Router.posting
            router.on("hang", RawMessage.self) { _, _ in
                await hole.fall()
                return [.append(to: .room("a"), Note(n: 1)), .reply(Note(n: 1))]
            }
            let node = try await stack.node()
            try await stack.worker(router)
            try await stack.send([envelope("hang", "{}", connection: "c0", id: "m")])
            while hole.entered.load(ordering: .relaxed) == 0 { try await Task.sleep(for: .milliseconds(2)) }
            for number in 1...5 { try await stack.send([envelope("hang", "{}", connection: "c\(number)", id: "m")]) }
            try await node.wait(for: "word on the copies") { $0.dones.count(where: Self.isUnavailable) == 5 }
            // Another message of the same user is no copy.
            try await stack.send([envelope("echo", "{}", connection: "c9", id: "other")])
            try await node.wait(for: "the other") { $0.dones.contains { $0.connection == "c9" && Self.isFine($0) } }
            hole.open()
            try await node.wait(for: "the first") { $0.dones.contains { $0.connection == "c0" && Self.isFine($0) } }
            #expect(hole.most == 1 && hole.entered.load(ordering: .relaxed) == 1)
            try await stack.send([envelope("hang", "{}", connection: "c6", id: "m")])
            try await node.wait(for: "a repeat") {
                $0.dones.contains { $0.connection == "c6" && $0.reply?.text.contains("repeat") == true }
            }
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
        }
    }

    /// One copy ends soon: the other waits for it, and gets its reply.
    @Test func aCopyOfWhatEndsSoonWaitsForIt() async throws {
        try await Stack.with { stack in
            let runs = Atomic(0)
            var router = Router.posting
            router.on("slow", RawMessage.self) { _, _ in
                runs.add(1, ordering: .relaxed)
                try await Task.sleep(for: .milliseconds(150))
                return [.append(to: .room("a"), Note(n: 1)), .reply(Note(n: 1))]
            }
            let node = try await stack.node()
            try await stack.worker(router)
            for number in 1...2 { try await stack.send([envelope("slow", "{}", connection: "c\(number)", id: "m")]) }
            try await node.wait(dones: 2)
            #expect(node.dones.allSatisfy(Self.isFine))
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
        }
    }

    /// A policy is an application's code as well.
    @Test func aPolicyHasItsTimeToo() async throws {
        try await Stack.with { stack in
            let hole = Hole()
            defer { hole.open() }
            var router = Router.posting
            router.onSubscribe(kind: "deep") { _, _ in await hole.fall() }
            let node = try await stack.node()
            try await stack.worker(router) { $0.handlerTimeLimit = .milliseconds(200) }
            try await stack.send([
                envelope("subscribe", #"{"topics":{"deep:a":null,"room:a":null}}"#, id: "s"), envelope("echo", "{}", ordinal: 2, id: "e"),
            ])
            try await node.wait(for: "what is behind it") { $0.dones.contains { $0.ordinal == 2 && Self.isFine($0) } }
            try await node.wait(for: "its end") { $0.dones.contains { $0.ordinal == 1 && $0.reply != nil } }
        }
    }

    /// Many of one type are slow: they have half of the slots, and wait for others but an eighth; further ones are refused at once.
    @Test func oneSlowTypeLeavesSlotsToTheOthers() async throws {
        try await Stack.with { stack in
            let hole = Hole()
            defer { hole.open() }
            var router = Router.posting
            router.on("hang", RawMessage.self) { _, _ in
                await hole.fall()
                return [.reply(Note(n: 1))]
            }
            let node = try await stack.node()
            try await stack.worker(router) { $0.prefetch = 8 }
            for number in 1...3 { try await stack.send([envelope("hang", "{}", connection: "h\(number)", user: "h\(number)", id: "m")]) }
            while hole.entered.load(ordering: .relaxed) < 3 { try await Task.sleep(for: .milliseconds(2)) }
            // Known as slow after half a second.
            try await Task.sleep(for: .milliseconds(1000))
            for number in 4...40 { try await stack.send([envelope("hang", "{}", connection: "h\(number)", user: "h\(number)", id: "m")]) }
            try await stack.send([envelope("echo", "{}", connection: "c", user: "carol", id: "m")])
            try await node.wait(for: "the other", seconds: 5) { $0.dones.contains { $0.connection == "c" && Self.isFine($0) } }
            try await node.wait(for: "refusals", seconds: 5) { $0.dones.count(where: Self.isUnavailable) == 33 }
            hole.open()
            try await node.wait(for: "the first") { $0.dones.count { $0.connection.hasPrefix("h") && Self.isFine($0) } == 7 }
        }
    }

    /// More than there are slots, before any of them is slow; as first attempts, and as later ones. Others go on.
    @Test(arguments: [1, 2]) func aCrowdThatHangsLeavesSlotsToTheOthers(attempt: Int) async throws {
        try await Stack.with { stack in
            let hole = Hole()
            defer { hole.open() }
            var router = Router.posting
            router.on("hang", RawMessage.self) { _, _ in
                await hole.fall()
                return [.reply(Note(n: 1))]
            }
            let node = try await stack.node()
            let worker = try await stack.worker(router) { $0.prefetch = 16 }
            for number in 1...100 {
                var writer = JSONWriter()
                envelope("hang", "{}", connection: "h\(number)", user: "h\(number)", id: "m").encode(into: &writer)
                _ = try await stack.session.publish(
                    AMQPMessage(body: writer.bytes, headers: ["sparq-attempt": .int64(Int64(attempt))]),
                    exchange: stack.names.inbound,
                    routingKey: "default",
                    mandatory: true
                )
            }
            for number in 1...20 {
                let start = ContinuousClock.now
                try await stack.send([envelope("echo", "{}", connection: "c\(number)", user: "c\(number)", id: "m")])
                try await node.wait(for: "echo \(number)", seconds: 5) {
                    $0.dones.contains { $0.connection == "c\(number)" && Self.isFine($0) }
                }
                #expect(.now - start < .seconds(3))
            }
            #expect(hole.entered.load(ordering: .relaxed) == 8)
            let refused = node.dones.count(where: Self.isUnavailable)
            #expect(attempt == 1 ? refused >= 80 : refused == 0)
            hole.open()
            try await node.wait(for: "the rest") { $0.dones.count { $0.connection.hasPrefix("h") && Self.isFine($0) } == 100 - refused }
            await worker.shutDown()
            let (letters, left) = (try await stack.deadLetters(), try await stack.workLeft())
            #expect(letters.isEmpty && left == 0)
        }
    }

    /// More at once than may go on without a slot. They care that they are cancelled: nothing has to be restarted.
    @Test func manyThatEndWhenTheyAreCancelledAreNoStrays() async throws {
        try await Stack.with { stack in
            var router = Router.posting
            router.on("sleep", RawMessage.self, timeLimit: .milliseconds(300)) { _, _ in
                try await Task.sleep(for: .seconds(3600))
                return []
            }
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.worker(router, log: log)
            try await stack.send((1...150).map { envelope("sleep", "{}", connection: "s\($0)", user: "s\($0)", id: "m") })
            try await node.wait(for: "their ends") { $0.dones.count { $0.reply?.text.contains(#""code":"internal""#) == true } == 150 }
            #expect(log.count("cannot be left") == 0)
        }
    }
}
