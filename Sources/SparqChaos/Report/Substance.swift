/// What must have happened in a run for its zeros to mean anything. Pure.
struct Substance: Sendable {
    /// Messages per second that were to be sent.
    let rate: Double
    let duration: Duration
    /// Faults in the plan.
    let planned: Int

    /// Outages cost messages: each lane waits for its answer before it sends on. In runs with all kinds of faults 36 % and more are left.
    static let leastPart = 0.3

    /// - Parameters:
    ///   - journals: of the load alone; probes would speak for it.
    func failures(_ journals: [ClientJournal], done: Int, skipped: Int) -> [String] {
        let wanted = Int(rate * Double(duration.wholeMilliseconds) / 1_000 * Self.leastPart)
        let accepted = journals.reduce(0) { $0 + $1.sent.count { $0.outcome == .accepted } }
        let delivered = journals.reduce(0) { $0 + $1.seen.values.reduce(0) { $0 + $1.count } }
        var failures: [String] = []
        if accepted < wanted { failures.append("only \(accepted) messages were accepted, \(wanted) would have been little") }
        if delivered < wanted { failures.append("only \(delivered) events were delivered, \(wanted) would have been little") }
        if done == 0 { failures.append("no fault took place") }
        if done + skipped != planned { failures.append("of \(planned) faults \(done) took place and \(skipped) were skipped") }
        return failures
    }
}
