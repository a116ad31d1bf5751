/// Which faults come when. A pure value: the same seed and the same numbers make the same plan.
struct FaultPlan: Equatable, Sendable {
    let faults: [Fault]

    /// Runs of ten minutes and more are long.
    static let long = 600_000
    /// The statement's timeout (30 s), and the two seconds after which a client gives the connection up by itself.
    static let beyondStatements = 34_000

    /// - Parameters:
    ///   - duration: of the load, in milliseconds. No fault lasts longer than that.
    ///   - kinds: which kinds may occur; each of them does, as far as time allows.
    init(seed: UInt64, duration: Int, kinds: [FaultKind] = FaultKind.allCases, fronts: Int = 3, workers: Int = 3) {
        var generator = SeededGenerator(seed: seed)
        var faults: [Fault] = []
        // First a shuffled round of all kinds, so that a plan of some length has each of them; then by weight.
        var round = kinds.shuffled(using: &generator)
        let drawn = kinds.flatMap { Array(repeating: $0, count: $0.weight) }
        var pauses = 0
        var at = 2_000
        while let kind = round.popLast() ?? drawn.randomElement(using: &generator) {
            let room = duration - at - 1_000
            guard room > 0 else { break }
            // The upper end of the range is as likely as all the rest: those are the pauses beyond the timeouts.
            let wanted = Int.random(in: kind.outage, using: &generator)
            let longest = Bool.random(using: &generator)
            var outage = min(longest ? max(wanted, kind.outage.upperBound * 4 / 5) : wanted, room)
            // Where there is time for it, once in a while longer than anybody waits for the database.
            if kind == .pausePostgres, duration >= Self.long {
                pauses += 1
                if pauses.isMultiple(of: 4) || pauses == 1 { outage = min(Self.beyondStatements, room) }
            }
            let count = kind.victim == .front ? fronts : workers
            faults.append(Fault(kind: kind, at: at, outage: outage, target: Int.random(in: 0..<count, using: &generator)))
            // One in three comes while the one before is not over.
            let overlaps = Int.random(in: 0..<3, using: &generator) == 0
            at += (overlaps ? 0 : outage + kind.aftermath) + Int.random(in: 500...4_500, using: &generator)
        }
        self.faults = faults
    }
}
