import FaultLog
import FoundationEssentials
import Logging
import SparqPostgres

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
    let pool: String
    let settings: SuspectSettings
    let faults: FaultLog
    private let onRenewal: @Sendable () -> Void

    /// - Parameter onRenewal: Called when the database has taken a sign.
    init(
        database: PostgresPool,
        pool: String,
        settings: SuspectSettings,
        logger: Logger,
        onRenewal: @escaping @Sendable () -> Void = {}
    ) {
        self.onRenewal = onRenewal
        self.database = database
        self.pool = pool
        self.settings = settings
        faults = FaultLog(logger)
    }

    /// Says that the worker lives, until it is cancelled.
    func run() async {
        while !Task.isCancelled {
            do {
                try await database.execute(Self.renewal, worker, pool)
                // Seldom enough, though each worker does it.
                if Int.random(in: 0..<30) == 0 { try await database.execute(Self.forgetting, seconds(Self.memory)) }
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
            group.addTask { _ = try? await database.execute("DELETE FROM workers WHERE worker = $1", worker) }
            group.addTask { try? await Task.sleep(for: Self.lastWord) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Notes what the worker has in hand from now on; nothing, where there is none.
    func note(_ suspects: [String]) async throws { try await database.execute(Self.noting, worker, pool, suspects) }

    /// Whoever died with these in hand died for another reason.
    func acquit(_ suspects: [String]) async throws {
        try await database.execute(Self.acquittal, pool, suspects, seconds(settings.deadAfter), worker)
    }

    /// What is known of all workers of the pool.
    func lives() async throws -> Lives {
        let rows = try await database.query(Self.all, pool, Self.limit)
        let lives = try rows.map { row in
            let (worker, began, heard, suspects, taken) = try row.decode(String.self, Double.self, Double.self, [String].self, Double.self)
            return Lives.Life(
                worker: worker,
                began: .seconds(began),
                heard: .seconds(heard),
                suspects: suspects.sorted(),
                taken: .seconds(taken)
            )
        }
        return Lives(lives, own: worker, settings)
    }

    private func seconds(_ duration: Duration) -> Double { Double(duration.milliseconds) / 1000 }

    private static let renewal = """
        INSERT INTO workers (worker, pool) VALUES ($1, $2) ON CONFLICT (worker) DO UPDATE SET seen_at = now()
        """

    private static let noting = """
        INSERT INTO workers (worker, pool, suspects, suspects_at) VALUES ($1, $2, $3, now())
        ON CONFLICT (worker) DO UPDATE SET seen_at = now(), suspects = excluded.suspects, suspects_at = excluded.suspects_at
        """

    private static let acquittal = """
        UPDATE workers w SET suspects = ARRAY(SELECT unnest(w.suspects) EXCEPT SELECT unnest($2::text[]))
        WHERE w.worker IN (
            SELECT d.worker FROM workers d
            WHERE d.pool = $1 AND d.worker <> $4 AND d.suspects && $2::text[] AND d.seen_at < now() - make_interval(secs => $3)
            ORDER BY d.worker FOR UPDATE
        )
        """

    private static let all = """
        SELECT worker, extract(epoch FROM now() - started_at)::float8, extract(epoch FROM now() - seen_at)::float8,
            suspects, coalesce(extract(epoch FROM now() - suspects_at)::float8, 0)
        FROM workers WHERE pool = $1 ORDER BY seen_at DESC LIMIT $2
        """

    private static let forgetting = """
        DELETE FROM workers WHERE worker IN (
            SELECT worker FROM workers WHERE seen_at < now() - make_interval(secs => $1) FOR UPDATE SKIP LOCKED
        )
        """
}
