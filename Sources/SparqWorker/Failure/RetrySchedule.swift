/// When a message that failed in passing is tried again. A value without I/O.
struct RetrySchedule: Equatable, Sendable {
    let delays: [Duration]

    /// The longest of the delays.
    var longest: Duration { delays.max() ?? .zero }

    /// The last attempt behind which there is another one.
    var lastRetried: Int { delays.count }

    /// When a message is tried again after an attempt, and as which one; `nil` where it is not.
    func next(afterAttempt given: Int, _ patience: FailedMessages.Patience) -> (delay: Duration, attempt: Int)? {
        switch patience {
        case .counted: return delay(afterAttempt: given).map { ($0, given + 1) }
        case .untilMended:
            // Behind the last attempt there is none; so the one before it comes again.
            let attempt = min(given, lastRetried)
            return delay(afterAttempt: attempt).map { ($0, min(attempt + 1, lastRetried)) }
        case .untilItsTurn:
            // The first pause is for what passes at once; a crowd would come and go without end.
            return delay(afterAttempt: min(max(2, given), lastRetried)).map { ($0, given) }
        }
    }

    /// The delay after the attempt, counted from 1; `nil` where it was the last.
    func delay(afterAttempt attempt: Int) -> Duration? {
        let index = max(1, attempt) - 1
        return index < delays.count ? delays[index] : nil
    }
}
