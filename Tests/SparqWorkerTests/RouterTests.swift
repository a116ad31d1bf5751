import SparqWire
import SparqTesting
import Synchronization
import Testing

@testable import SparqPostgres
@testable import SparqWorker

@Suite struct RouterTests {
    private func tester() -> HandlerTester {
        var router = Router()
        router.on("post", Post.self) { message, context in
            if message.room == "closed" { throw Refusal(.forbidden, "It is closed.") }
            return [.append(to: .room(message.room), Note(n: context.attempt)), .reply(Note(n: 2))]
        }
        router.on("hello", RawMessage.self, access: .anyone) { message, _ in [.reply(RawJSON(message.json))] }
        router.on("read", RawMessage.self) { _, context in
            try await context.database.query("SELECT 1")
            return []
        }
        router.onSubscribe(kind: "user") { topic, context in
            if topic.id != context.user { throw Refusal(.forbidden, "That is not you.") }
        }
        return HandlerTester(router)
    }

    @Test func handlersAnswerWithEffects() async throws {
        let outcome = try await tester().send("post", #"{"type":"post","room":"a"}"#, user: "alice")
        #expect(try outcome.appended == [AppendedEvent(topic: .room("a"), type: "note", data: #"{"n":1}"#)])
        #expect(try outcome.reply == #"{"n":2}"#)
        #expect(try await tester().send("hello", #"{"x":[1]}"#).reply == #"{"x":[1]}"#)
    }

    @Test func whatCannotBeHandledIsRefusedWithAStableCode() async throws {
        let tester = tester()
        #expect(try await tester.send("post", #"{"room":"closed"}"#, user: "alice").refusal == Refusal(.forbidden, "It is closed."))
        #expect(try await tester.send("nope", user: "alice").refusal?.code == .unknownType)
        #expect(try await tester.send("post", #"{"room":"a"}"#).refusal?.code == .unauthenticated)
        #expect(try await tester.send("$connect").effects.isEmpty)
        #expect(try await tester.subscribe(to: .user("bob"), user: "alice")?.code == .forbidden)
        #expect(try await tester.subscribe(to: .user("bob"), user: "bob") == nil)
        #expect(try await tester.subscribe(to: .everyone, user: "bob")?.code == .forbidden)
    }

    @Test(arguments: [
        (#"{}"#, #"The field "room" is missing."#), (#"{"room":1}"#, #"The field "room" must be a string."#),
        (#"{"room":null}"#, #"The field "room" must not be null."#),
        (#"{"room":"a","tags":[1,"x"]}"#, #"The field "tags[1]" must be a whole number."#),
        (#"{"room":"a","tags":{}}"#, #"The field "tags" must be an array."#),
    ])
    func fieldsThatDoNotDecodeAreNamed(json: String, sentence: String) async throws {
        let refusal = try await tester().send("post", json, user: "alice").refusal
        #expect(refusal == Refusal(.invalidFields, sentence))
    }

    @Test func aTestWithoutDatabaseSaysSo() async throws {
        await #expect(throws: DatabaseMissing.self) { try await tester().send("read", user: "alice") }
    }

    /// A newer front may send it, and this worker must not throw it away.
    @Test func aSystemMessageThatNobodyKnowsWaitsForANewerWorker() async throws {
        let (router, context) = (Router(), context(asksAlone: false))
        for type in [SystemType.connect, SystemType.disconnect, SystemType.presence] {
            guard case .effects = try await router.run(type, json: [], context: context) else { return #expect(Bool(false)) }
        }
        await #expect(throws: TransientFailure.self) { try await router.run("$of-the-future", json: [], context: context) }
    }

    @Test func whoAsksAloneNeedsNoOtherTask() async throws {
        let loader = BatchLoader<Int, Int> { keys, _ in [keys[0]: withUnsafeCurrentTask { $0?.hashValue ?? 0 }] }
        let own = withUnsafeCurrentTask { $0?.hashValue ?? 0 }
        #expect(try await loader.load(1, context(asksAlone: true)) == own)
        #expect(try await loader.load(1, context(asksAlone: false)) != own)
    }

    private func context(asksAlone: Bool, type: String = "t", memo: LoadMemo? = nil) -> Context {
        Context(
            userID: nil,
            connection: nil,
            node: "n",
            type: type,
            messageID: nil,
            time: 0,
            attempt: 1,
            database: NoDatabase(),
            memo: memo,
            asksAlone: asksAlone
        )
    }

    @Test(arguments: [false, true]) func keysThatAreAskedForMeanwhileShareTheNextQuery(asksAlone: Bool) async throws {
        let queries = Mutex<[Set<Int>]>([])
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let (asked, signal) = AsyncStream.makeStream(of: Void.self)
        let loader = BatchLoader<Int, String> { keys, _ in
            queries.withLock { $0.append(Set(keys)) }
            signal.yield()
            if keys == [0] { for await _ in gate { break } }
            return Dictionary(uniqueKeysWithValues: keys.filter { $0 != 9 }.map { ($0, "v\($0)") })
        }
        let context = context(asksAlone: asksAlone)
        let values = try await withThrowingTaskGroup(of: (Int, String?).self) { group in
            group.addTask { (0, try await loader.load(0, context)) }
            for await _ in asked { break }
            for key in [1, 2, 2, 9] { group.addTask { (key, try await loader.load(key, context)) } }
            // All four must wait before the first query ends.
            while loader.waiting < 4 { await Task.yield() }
            open.yield()
            var values: [Int: String?] = [:]
            for try await (key, value) in group { values[key] = value }
            return values
        }
        #expect(values == [0: "v0", 1: "v1", 2: "v2", 9: nil])
        #expect(queries.withLock { $0 } == [[0], [1, 2, 9]])
        // Nothing is left behind that would make the next one wait.
        #expect(try await loader.load(7, context) == "v7")
        #expect(loader.types == 0)
    }

    /// A type's query may wait for the type's own connection, for which another type must not wait.
    @Test(arguments: [false, true]) func oneTypesQueryHoldsUpNoOther(asksAlone: Bool) async throws {
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let (asked, signal) = AsyncStream.makeStream(of: Void.self)
        let loader = BatchLoader<Int, Int> { keys, _ in
            signal.yield()
            if keys == [0] { for await _ in gate { break } }
            return Dictionary(uniqueKeysWithValues: keys.map { ($0, $0) })
        }
        let (slow, other) = (context(asksAlone: asksAlone, type: "slow"), context(asksAlone: asksAlone, type: "other"))
        async let first = loader.load(0, slow)
        for await _ in asked { break }
        #expect(try await loader.load(1, other) == 1)
        open.yield()
        #expect(try await first == 0)
        while loader.types > 0 { await Task.yield() }
    }

    /// What a handler asked before a change, and hears after it, says nothing to those behind the change.
    @Test func anAnswerFromBeforeAChangeIsNotRemembered() async throws {
        let memo = LoadMemo()
        let asked = Mutex(0)
        let loader = BatchLoader<Int, Int>(remembers: true) { keys, _ in
            let number = asked.withLock { asked in
                asked += 1
                return asked
            }
            if number == 1 { memo.forget() }
            return Dictionary(uniqueKeysWithValues: keys.map { ($0, number) })
        }
        let context = context(asksAlone: true, memo: memo)
        #expect(try await loader.load(7, context) == 1)
        #expect(try await loader.load(7, context) == 2)
        #expect(try await loader.load(7, context) == 2)
    }

    /// One client's value that the database does not take is no fault of those who asked together with it.
    @Test func whereAQueryFailsOverAValueOnlyItsAskersAreTold() async throws {
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let (asked, signal) = AsyncStream.makeStream(of: Void.self)
        let loader = BatchLoader<Int, String> { keys, _ in
            signal.yield()
            if keys == [0] { for await _ in gate { break } }
            if keys.contains(where: { $0 % 10 == 7 }) {
                var error = PostgresError(.server, "made up")
                error.sqlState = "22021"
                throw error
            }
            return Dictionary(uniqueKeysWithValues: keys.map { ($0, "v\($0)") })
        }
        let context = context(asksAlone: false)
        let answers = await withTaskGroup(of: (Int, String?).self) { group in
            group.addTask { (0, try? await loader.load(0, context)) }
            for await _ in asked { break }
            for key in 1...20 { group.addTask { (key, try? await loader.load(key, context)) } }
            while loader.waiting < 20 { await Task.yield() }
            open.yield()
            return await group.reduce(into: [Int: String?]()) { $0[$1.0] = $1.1 }
        }
        for key in 0...20 { #expect(answers[key] == .some(key % 10 == 7 ? nil : "v\(key)")) }
    }
}
