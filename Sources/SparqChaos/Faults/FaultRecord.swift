/// A fault that was done.
struct FaultRecord: Sendable {
    let fault: Fault
    /// Who was really hit.
    let victim: String
    /// Of an orderly restart the end of the process: until then it serves.
    var at: ContinuousClock.Instant
    /// From the fault until the process that was started again was ready; `nil` where none was started, or where it was hit again before.
    var ready: Duration?
}
