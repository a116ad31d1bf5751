import SparqAMQP
import SparqPostgres
import SparqWire
import SparqWorker
import Synchronization
import Testing

/// Policies that are asked for repeats: slow ones, and ones that fail.
@Suite(.timeLimit(.minutes(2))) struct RepeatPolicyTests {
    private func join(_ topic: String, _ connection: String, ordinal: Int = 1, type: String = "follow") -> Envelope {
        envelope(type, #"{"topic":"\#(topic)","n":1}"#, connection: connection, ordinal: ordinal, id: type + topic)
    }

    @Test func aSlowPolicyHoldsUpItsOwnConnectionAlone() async throws {
        try await Stack.with { stack in
            let policy = Policy()
            let node = try await stack.node()
            let worker = try await stack.worker(policy.router) { $0.commitsInFlight = 1 }
            try await stack.send([join("slow:1", "c1"), join("slow:2", "c1", ordinal: 2), join("slow:3", "c2")])
            try await node.wait(dones: 3)
            policy.allowNoMoreAtFirst()
            try await stack.send([
                post("room:a", 7, connection: "c1", ordinal: 3, id: "before"), join("slow:1", "c1", ordinal: 4),
                join("slow:2", "c1", ordinal: 5), post("room:a", 8, connection: "c1", ordinal: 6, id: "behind"),
                join("slow:3", "c2", ordinal: 2), post("room:a", 9, connection: "c3", id: "c3"),
            ])
            // All at once, though the first has no answer yet.
            while policy.asked < 3 { try await Task.sleep(for: .milliseconds(5)) }
            for number in 4...6 { try await stack.send([post("room:a", 9, connection: "c\(number)", id: "c\(number)")]) }
            try await node.wait(for: "what others sent") { $0.dones.count { !["c1", "c2"].contains($0.connection) } == 4 }
            #expect(node.dones.count == 7)
            // Else what others appended would have to wait at its subscribers for what came before.
            #expect(try await stack.count("SELECT count(*) FROM events") == 7)
            policy.open()
            try await node.wait(dones: 12)
            #expect(node.dones.filter { $0.connection == "c1" }.map(\.ordinal) == Array(1...6))
            let replies = node.dones.filter { $0.connection == "c1" }.suffix(4).map { $0.reply?.text.contains("repeat") }
            #expect(replies == [false, true, true, false])
            // At first, and again.
            #expect(node.deliveries.grants == ["slow:1", "slow:1", "slow:2", "slow:2", "slow:3", "slow:3"])
            #expect(try await stack.count("SELECT count(*) FROM events") == 9)
            await worker.shutDown()
            #expect(try await stack.workLeft() == 0)
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    @Test func aWorkerThatDiesWhileItAsksLeavesTheRepeatToOthers() async throws {
        try await Stack.with { stack in
            let policy = Policy()
            let node = try await stack.node()
            let worker = try await stack.worker(policy.router)
            try await stack.send([join("slow:1", "c1")])
            try await node.wait(dones: 1)
            policy.allowNoMoreAtFirst()
            try await stack.send([join("slow:1", "c1", ordinal: 2), post("room:a", 1, connection: "c2", id: "m")])
            while policy.asked < 1 { try await Task.sleep(for: .milliseconds(5)) }
            try await node.wait(for: "what another sent") { $0.dones.contains { $0.connection == "c2" } }
            await worker.kill()
            #expect(node.dones.count == 2)
            policy.open()
            let other = try await stack.worker(policy.router)
            try await node.wait(for: "the repeat") { $0.dones.contains { $0.connection == "c1" && $0.ordinal == 2 } }
            await other.shutDown()
            #expect(try await stack.workLeft() == 0)
            #expect(try await stack.count("SELECT count(*) FROM events") == 2)
        }
    }

    /// As for a message that comes the first time: some failures are waited out, others postpone it.
    @Test(arguments: ["follow", "enter"], ["a service", "57014", "57P01", "40001"])
    func aPolicyThatFailsInPassingIsAskedAgain(type: String, failure: String) async throws {
        try await Stack.with { stack in
            let policy = Policy()
            policy.fail(1, failure)
            let node = try await stack.node()
            try await stack.worker(policy.router)
            try await stack.send([join("shaky:1", "c1", type: type)])
            try await node.wait(dones: 1)
            policy.allowNoMoreAtFirst()
            try await stack.send([join("shaky:1", "c1", ordinal: 2, type: type)])
            try await node.wait(dones: 2)
            #expect(node.dones.last?.reply?.text == #"{"re":"\#(type)shaky:1","ok":true,"repeat":true}"#)
            #expect(node.deliveries.grants == ["shaky:1", "shaky:1"])
            let isPostponed = ["a service", "57014"].contains(failure)
            #expect(policy.attempts == (isPostponed ? [1, 2] : [1, 1]))
            #expect(node.deliveries.postponed == (isPostponed ? [2] : []))
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    @Test(arguments: ["follow", "enter"]) func aPolicyThatFailsInPassingForEverBuriesItsRepeat(type: String) async throws {
        try await Stack.with { stack in
            let policy = Policy()
            policy.fail(.max, "a service")
            let node = try await stack.node()
            try await stack.worker(policy.router)
            try await stack.send([join("shaky:1", "c1", type: type)])
            try await node.wait(dones: 1)
            policy.allowNoMoreAtFirst()
            try await stack.send([join("shaky:1", "c1", ordinal: 2, type: type)])
            try await node.wait(dones: 2)
            #expect(node.dones.last?.reply?.text.contains(#""code":"internal""#) == true)
            #expect(policy.attempts == [1, 2, 3])
            #expect(node.deliveries.postponed == [2, 2])
            let letters = try await stack.deadLetters()
            #expect(letters.map { $0.headers["attempts"]?.intValue } == [3])
        }
    }
}

/// The policy of some kinds of topics, with what it is to do. At first it is not asked: `follow` and `enter` allow everything then.
private final class Policy: Sendable {
    private struct State {
        var isFirst = true
        var isOpen = false
        var failures = 0
        var failure = ""
        var attempts: [Int] = []
    }

    private let state = Mutex(State())

    var asked: Int { state.withLock { $0.attempts.count } }
    var attempts: [Int] { state.withLock { $0.attempts } }

    func allowNoMoreAtFirst() { state.withLock { $0.isFirst = false } }
    func open() { state.withLock { $0.isOpen = true } }
    func fail(_ times: Int, _ failure: String) { state.withLock { ($0.failures, $0.failure) = (times, failure) } }

    var router: Router {
        let effects: @Sendable (Post) throws -> [Effect] = { [self] message in
            guard state.withLock({ $0.isFirst }) else { throw Refusal(.forbidden, "No.") }
            return [.subscribe(Topic(rawValue: message.topic)), .append(to: .room("a"), Note(n: 1))]
        }
        var router = Router.posting
        router.on("follow", Post.self) { message, _ in try effects(message) }
        router.onTransaction("enter", Post.self) { message, _, _ in try effects(message) }
        router.onSubscribe(kind: "slow") { [self] _, context in
            state.withLock { $0.attempts.append(context.attempt) }
            while !state.withLock({ $0.isOpen }) { try await Task.sleep(for: .milliseconds(5)) }
        }
        router.onSubscribe(kind: "shaky") { [self] _, context in try await failOrNot(context) }
        return router
    }

    private func failOrNot(_ context: Context) async throws {
        let failure: String? = state.withLock { state in
            state.attempts.append(context.attempt)
            state.failures -= 1
            return state.failures >= 0 ? state.failure : nil
        }
        guard let failure else { return }
        if failure == "a service" { throw TransientFailure(failure) }
        try await context.database.execute("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '\(failure)'; END $$")
    }
}

extension [SparqWire.Delivery] {
    /// The topics of all grants, in order of their names.
    fileprivate var grants: [String] {
        var topics: [String] = []
        for case .subscribe(_, _, let grants) in self { topics += grants.map(\.topic) }
        return topics.sorted()
    }

    /// The ordinals of what was postponed.
    fileprivate var postponed: [Int] { compactMap { if case .postponed(_, let ordinal) = $0 { ordinal } else { nil } } }
}
