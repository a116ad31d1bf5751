/// Numbers from 0 that must come once each and in order.
struct ArrivalOrder {
    private(set) var next: UInt64 = 0
    private(set) var faults = BenchResult.Faults()

    /// Returns how many numbers are settled with this one: itself, and those that it jumped over; 0 for one that had come.
    /// - Parameter sent: how many there are so far.
    mutating func arrived(_ number: UInt64, of sent: UInt64) -> Int {
        guard number >= next, number < sent else {
            if number < next { faults.repeated += 1 } else { faults.misordered += 1 }
            return 0
        }
        let settled = Int(number - next) + 1
        if settled > 1 { faults.misordered += 1 }
        next = number + 1
        return settled
    }
}
