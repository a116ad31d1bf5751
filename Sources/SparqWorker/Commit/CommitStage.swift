import Logging
import SparqPostgres
import SparqStore
import SparqWire

/// Commits groups of messages, looks up who must hear of them, and hands both to the outbox: one round trip for as many groups as are there.
struct CommitStage: Sendable {
    let queue: BatchQueue<CommitGroup>
    let pool: PostgresPool
    let retry: DatabaseRetry
    let failed: FailedMessages
    let repetition: Repetition
    let outbox: Outbox
    let deliveryBytes: Int
    let logger: Logger

    /// Works until the queue is closed and empty. Any number of tasks may do so.
    func run() async {
        // Held groups go on in tasks of their own, so that they delay their own connections only. The prefetch bounds their number.
        await withDiscardingTaskGroup { group in
            while let groups = await queue.next() {
                for held in await turn(groups, .ownAtFirst) {
                    group.addTask(executorPreference: globalConcurrentExecutor) { await goOn(held) }
                }
            }
        }
    }

    /// Commits and sends on; what is left are the groups that wait for policies, and those that the server fails over at their first try.
    private func turn(_ given: [CommitGroup], _ asked: AskedOfDatabase) async -> [CommitGroup] {
        let groups = given.filter { group in
            guard group.batch.isLost else { return true }
            logger.debug("dropped, the broker delivers it again")
            group.completion.abandon()
            return false
        }
        if groups.isEmpty { return [] }
        var set = CommitSet(groups)
        do {
            // One that is lost meanwhile ends the turn: the broker delivers all of them again.
            let directory = try await settle(&set, asked, retry.during(groups.map(\.batch)))
            let (messages, completions) = set.settled
            if !completions.isEmpty { outbox.add(DeliveryPlan(messages, directory: directory, limit: deliveryBytes), completions) }
            return set.held
        } catch {
            // Cancelled, or the pool is closed: the broker delivers these again.
            logger.debug("commit given up", metadata: ["error": "\(error)"])
            for group in groups { group.completion.abandon() }
            return []
        }
    }

    /// Asks the policies that a group waits for, and takes it in again: what it still has to commit takes its turn now. One that waits for none is
    /// committed here, for as long as it takes.
    private func goOn(_ group: CommitGroup) async {
        guard group.waitsForPolicies else {
            for group in await turn([group], .own) { await goOn(group) }
            return
        }
        do {
            if queue.add(try await repetition.allowed(group)) { return }
        } catch {
            logger.debug("repeat given up", metadata: ["error": "\(error)"])
        }
        group.completion.abandon()
    }

    /// Commits what is to be committed; the messages are then as they are to be delivered.
    private func settle(_ set: inout CommitSet, _ asked: AskedOfDatabase, _ untilLost: DatabaseRetry) async throws -> DirectoryView {
        var view = DirectoryView()
        let question = DirectoryQuestion(set.outcomes)
        let places = set.pending
        if places.isEmpty {
            try await ask(question, &view)
            return view
        }
        if try await commit(places, of: &set, asked, asking: question, &view, untilLost) { return view }
        view = DirectoryView()
        try await ask(DirectoryQuestion(set.settled.messages.map(MessageOutcome.settled)), &view)
        return view
    }

    /// False where it took more than the one round trip, and the question is to be asked again.
    private func commit(
        _ places: [Int],
        of set: inout CommitSet,
        _ asked: AskedOfDatabase,
        asking question: DirectoryQuestion,
        _ view: inout DirectoryView,
        _ untilLost: DatabaseRetry
    ) async throws -> Bool {
        let messages = set.handled(places)
        let plan = CommitPlan(messages)
        guard plan.isDistinct else {
            try await commitApart(places, of: &set, asked, untilLost)
            return false
        }
        do {
            let results = try await untilLost(.ownAtFirst) {
                // Separate transactions of one round trip: what is looked up is what stands after the commit.
                var results = try await pool.pipeline(
                    Sabotage.isOn(.directoryBeforeCommit) ? question.statements + [plan.statement] : [plan.statement] + question.statements
                )
                if Sabotage.isOn(.directoryBeforeCommit) { results = results.suffix(1) + results.dropLast() }
                _ = try results[0].get()
                return results
            }
            set.committed(plan.committed(try CommitOutcome(results[0].get(), topics: plan.topics.count), messages), at: places)
            // The commit stands; a failed look-up after it must not repeat it.
            do { try question.read(results[1...], into: &view) } catch { return false }
            return true
        } catch let error as PostgresError where error.isRepeat {
            try await commitApart(places, of: &set, asked, untilLost)
        } catch let error as PostgresError where error.code != .poolClosed && !Task.isCancelled {
            try await commitEach(places, of: &set, asked, after: error, untilLost)
        }
        return false
    }

    private func ask(_ question: DirectoryQuestion, _ view: inout DirectoryView) async throws {
        let statements = question.statements
        if statements.isEmpty { return }
        let before = view
        // The commit stands, and so whoever hears of it must: also where the broker delivers the messages again meanwhile.
        view = try await retry(.followUp) {
            var answer = before
            try question.read(try await pool.pipeline(statements)[...], into: &answer)
            return answer
        }
    }

    /// Finds those that took effect before, and commits the others.
    private func commitApart(_ places: [Int], of set: inout CommitSet, _ asked: AskedOfDatabase, _ untilLost: DatabaseRetry) async throws {
        do {
            try await commitAroundRepeats(places, of: &set, .ownAtFirst, untilLost)
        } catch let error as PostgresError where error.code != .poolClosed && !Task.isCancelled {
            try await commitEach(places, of: &set, asked, after: error, untilLost)
        }
    }

    /// Some took effect before, or are there twice; and again where somebody was faster meanwhile. What it came to before it throws stands.
    private func commitAroundRepeats(_ places: [Int], of set: inout CommitSet, _ asked: AskedOfDatabase, _ untilLost: DatabaseRetry)
        async throws
    {
        while true {
            let pending = places.filter { set.isPending($0) }
            let keyed = zip(pending, set.handled(pending)).filter { $0.1.key != nil }
            if !keyed.isEmpty {
                let statement = Repeats.statement(keyed.compactMap(\.1.key))
                let repeats = try Repeats(try await untilLost(asked) { try await pool.run(statement) })
                for (index, known) in repeats.known { set.replace(keyed[index].0, with: known.outcome(insteadOf: keyed[index].1)) }
            }
            var seen: Set<[String]> = []
            let left = places.filter { set.isPending($0) }
            let first = zip(left, set.handled(left)).filter { $0.1.key.map { seen.insert([$0.user, $0.id]).inserted } ?? true }
            if first.isEmpty { return }
            let messages = first.map(\.1)
            let plan = CommitPlan(messages)
            do {
                let rows = try await untilLost(asked) { try await pool.run(plan.statement) }
                set.committed(plan.committed(try CommitOutcome(rows, topics: plan.topics.count), messages), at: first.map(\.0))
            } catch let error as PostgresError where error.isRepeat {
                continue
            }
        }
    }

    /// One bad message fails alone.
    private func commitEach(
        _ places: [Int],
        of set: inout CommitSet,
        _ asked: AskedOfDatabase,
        after error: PostgresError,
        _ untilLost: DatabaseRetry
    ) async throws {
        // What the server fails over is told when it is waited for.
        if places.count > 1 && error.cause != .defect {
            logger.error(
                "commit failed, its messages are committed one by one",
                metadata: ["error": "\(error)", "messages": "\(places.count)"]
            )
        }
        for place in places where set.isPending(place) {
            do {
                try await commitAroundRepeats([place], of: &set, asked, untilLost)
            } catch let error as PostgresError where asked == .ownAtFirst && error.cause == .defect {
                set.hold(place)
            } catch let error as PostgresError where error.code != .poolClosed && !Task.isCancelled {
                let message = try await failed.message(set.outcomes[place].envelope, attempt: set.attempt(of: place), uncommitted: error)
                set.replace(place, with: .settled(message))
            }
        }
    }
}
