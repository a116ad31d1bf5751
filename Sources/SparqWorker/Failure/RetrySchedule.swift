/// When a message that failed in passing is tried again. A value without I/O.
struct RetrySchedule: Equatable, Sendable {
    let delays: [Duration]

    /// The longest of the delays.
    var longest: Duration { delays.max() ?? .zero }

    /// The last attempt behind which there is another one.
    var lastRetried: Int { delays.count }

    /// The delay after the attempt, counted from 1; `nil` where it was the last.
    func delay(afterAttempt attempt: Int) -> Duration? {
        let index = max(1, attempt) - 1
        return index < delays.count ? delays[index] : nil
    }
}
