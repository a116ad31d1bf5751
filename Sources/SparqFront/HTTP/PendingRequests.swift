/// HTTP requests whose messages are on their way. Each is answered once.
struct PendingRequests {
    private struct Pending {
        var deadline: Int
        var answer: (HTTPAnswer) -> Void
    }

    private var pending: [UInt64: Pending] = [:]

    var isEmpty: Bool { pending.isEmpty }

    mutating func add(_ number: UInt64, deadline: Int, answer: @escaping (HTTPAnswer) -> Void) {
        pending[number] = Pending(deadline: deadline, answer: answer)
    }

    mutating func finish(_ number: UInt64, _ answer: HTTPAnswer) {
        pending.removeValue(forKey: number)?.answer(answer)
    }

    mutating func expire(now: Int) {
        for (number, request) in pending where request.deadline <= now {
            pending[number] = nil
            request.answer(.unavailable)
        }
    }
}
