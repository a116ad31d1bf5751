import FaultLog
import FoundationEssentials
import Logging
import SparqPostgres
import SparqStore

/// A worker's row of the table `workers`: that it lives, and what it has in hand that workers may have died over. Whoever finds the row grown old
/// knows what the worker died over.
struct LifeSigns: Sendable {
    /// How long the dead are remembered. The pauses between two runs of one suspect are much shorter.
    private static let memory: Duration = .seconds(3600)
    /// The most workers that are looked at, the latest first.
    private static let limit = 4096
    /// A worker that ends waits no longer for the database.
    private static let lastWord: Duration = .seconds(2)

    /// Names this process; no other ever has it.
    let worker = UUID().uuidString
    let database: PostgresPool
    let lane: String
    let settings: SuspectSettings
    let faults: FaultLog
    private let onRenewal: @Sendable () -> Void

    /// - Parameter onRenewal: Called when the database has taken a sign.
    init(
        database: PostgresPool,
        lane: String,
        settings: SuspectSettings,
        logger: Logger,
        onRenewal: @escaping @Sendable () -> Void = {}
    ) {
        self.onRenewal = onRenewal
        self.database = database
        self.lane = lane
        self.settings = settings
        faults = FaultLog(logger)
    }

    /// Says that the worker lives, until it is cancelled.
    func run() async {
        while !Task.isCancelled {
            do {
                try await WorkerStore.renew(worker, lane: lane, database)
                // Seldom enough, though each worker does it.
                if Int.random(in: 0..<30) == 0 { try await WorkerStore.forget(after: seconds(Self.memory), database) }
                faults.ended(FaultLog.single, "the worker can say again that it lives")
                onRenewal()
            } catch {
                if !Task.isCancelled {
                    faults.occurred(FaultLog.single, "the worker cannot say that it lives", metadata: error.account)
                }
            }
            try? await Task.sleep(for: settings.renewal)
        }
    }

    /// An end in order is no death.
    func end() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await WorkerStore.remove(worker, database) }
            group.addTask { try? await Task.sleep(for: Self.lastWord) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Notes what the worker has in hand from now on; nothing, where there is none.
    func note(_ suspects: [String]) async throws {
        try await WorkerStore.note(suspects, of: worker, lane: lane, database)
    }

    /// Whoever died with these in hand died for another reason.
    func acquit(_ suspects: [String]) async throws {
        try await WorkerStore.acquit(suspects, lane: lane, deadAfter: seconds(settings.deadAfter), except: worker, database)
    }

    /// What is known of all workers of the lane.
    func lives() async throws -> Lives {
        let lives = try await WorkerStore.all(lane: lane, limit: Self.limit, database).map { row in
            Lives.Life(
                worker: row.worker,
                began: .seconds(row.began),
                heard: .seconds(row.heard),
                suspects: row.suspects.sorted(),
                taken: .seconds(row.taken)
            )
        }
        return Lives(lives, own: worker, settings)
    }

    private func seconds(_ duration: Duration) -> Double { Double(duration.milliseconds) / 1000 }
}
