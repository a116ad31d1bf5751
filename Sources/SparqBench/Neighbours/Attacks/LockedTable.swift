import Foundation

/// Somebody at the database locks the table of rooms, and clients make rooms.
struct LockedTable: Attack {
    let title = "B4 a locked table"
    /// How long it is locked.
    var seconds = 12
    /// The client of the database; it gets its password from the environment.
    var client = "psql"

    func run(_ stage: AttackStage, until stop: StopSign) throws -> AttackTally {
        guard let database = stage.database else { throw BenchError("where the database is was not said") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [client, "-X", "-q", "-d", database, "-c", statement]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let tally = try Crowd(stage, count: 6, interval: 1).run(until: stop) { socket, round in
            let name = stage.tag.room(2_000_000 + socket * 1000 + round)
            return MessageTemplate(#"{"type":"room.create","id":"\#(name)","room":"\#(name)"}"#).frame
        }
        // It cancels its statement then, so that the lock goes.
        let wasLocked = process.isRunning
        process.interrupt()
        process.waitUntilExit()
        guard wasLocked || process.terminationStatus == 0 else { throw BenchError("\(client) ended with \(process.terminationStatus)") }
        return tally
    }

    var statement: String { "BEGIN; LOCK TABLE rooms IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(\(seconds))" }
}
