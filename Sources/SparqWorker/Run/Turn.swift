import SparqPostgres

/// A task's turn at a connection's messages: what is the same for all of them.
final class Turn {
    let run: ConnectionRun
    let owner: Int
    let retry: DatabaseRetry
    let listener: PostgresShare.WaitListener
    private var reads: PostgresReads?

    init(_ run: ConnectionRun, _ owner: Int, _ retry: DatabaseRetry) {
        self.run = run
        self.owner = owner
        self.retry = retry
        listener = { run.waits($0, owner, now: $1) }
    }

    /// For a type's reads.
    func reads(of type: String, from database: PostgresShare) -> PostgresReads {
        if let reads, reads.name == type { return reads }
        let reads = database.reads(of: type, listener)
        self.reads = reads
        return reads
    }
}
