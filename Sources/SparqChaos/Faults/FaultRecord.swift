/// A fault that was done.
struct FaultRecord: Sendable {
    let fault: Fault
    let at: ContinuousClock.Instant
}
