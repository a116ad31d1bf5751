import FaultLog
import Logging
import SparqPostgres
import SparqStore

/// Removes what is too old, in small pieces, on one worker at a time.
///
/// Each piece begins where the last one ended, so what was removed before is not walked over again (`0008_growth.sql`).
struct Retention: Sendable {
    /// Blocks (8 MiB) that one sweep searches for old rows that earlier sweeps have passed.
    private static let blocks = 1024
    /// A sweep with more than so many intervals' rows before it is behind.
    private static let slack = 10
    /// Pieces until the table `sweeps` is written again. While somebody's snapshot is open, each time leaves a version more of its row.
    private static let unnoted = 100

    let pool: PostgresPool
    let events: Duration
    let inbox: Duration
    let interval: Duration
    let logger: Logger

    func run() async {
        let faults = FaultLog(logger)
        while (try? await Task.sleep(for: interval * Double.random(in: 0.5...1.5))) != nil {
            do {
                let removed = try await sweep()
                faults.ended(FaultLog.single, "old rows are removed again")
                if removed > 0 { logger.info("old rows removed", metadata: ["rows": "\(removed)"]) }
            } catch {
                if !Task.isCancelled { faults.occurred(FaultLog.single, "removing old rows failed", metadata: error.account) }
            }
        }
    }

    /// Returns how many rows it removed; none where another worker is at it.
    func sweep() async throws -> Int { try await sweep(.events, events) + sweep(.inbox, inbox) }

    /// Removes what is too old as it begins. What becomes so meanwhile is for the next sweep, so none goes on for ever.
    private func sweep(_ table: SweepStore.Table, _ age: Duration) async throws -> Int {
        let seconds = Double(age.components.seconds) + Double(age.components.attoseconds) / 1e18
        guard let beginning = try await SweepStore.beginning(table, age: seconds, pool) else { return 0 }
        let before = beginning.before
        var (reached, block) = (beginning.reached, beginning.block)
        let slack = Int64((interval * Self.slack).milliseconds) * 1000
        var pace = SweepPace()
        var (removed, pieces, isFull) = (0, 0, true)
        while isFull {
            let isBehind = reached.microseconds < before.microseconds - slack
            let (size, start) = (pace.size, ContinuousClock.now)
            guard let piece = try await SweepStore.sweep(table, from: reached, before: before, limit: size, pool) else { return removed }
            reached = piece.reached
            removed += piece.removed
            isFull = piece.removed == size
            pieces += 1
            if pieces.isMultiple(of: Self.unnoted) { try await SweepStore.note(table, reached: reached, block: block, pool) }
            try await Task.sleep(for: pace.worked(.now - start, isBehind: isBehind))
        }
        repeat {
            let size = SweepPace.sizes.lowerBound
            guard let piece = try await SweepStore.patrol(table, block: block, blocks: Self.blocks, before: before, limit: size, pool)
            else { return removed }
            block = piece.next
            removed += piece.removed
            isFull = piece.removed == size
        } while isFull
        try await SweepStore.note(table, reached: reached, block: block, pool)
        return removed
    }
}

/// How many rows the next piece of a sweep has, and how long the sweep rests before it. A value without a clock.
///
/// A sweep rests for as long as it worked, so that it takes half of one connection's time, unless it is behind: then what comes in by all connections
/// must go by this one. Large pieces cost less for each row, as the rows of a topic go together.
struct SweepPace: Equatable, Sendable {
    /// The least and the most rows of a piece.
    static let sizes = 1000...8000
    /// How long a piece should take.
    static let times: ClosedRange<Duration> = .milliseconds(50)...(.milliseconds(200))

    /// Rows of the next piece.
    private(set) var size = SweepPace.sizes.lowerBound

    /// A piece is done; returns how long to rest now.
    mutating func worked(_ time: Duration, isBehind: Bool) -> Duration {
        if time < Self.times.lowerBound { size = min(size * 2, Self.sizes.upperBound) }
        if time > Self.times.upperBound { size = max(size / 2, Self.sizes.lowerBound) }
        return isBehind ? .zero : time
    }
}
