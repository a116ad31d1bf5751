import SparqWire

/// HTTP requests whose messages are on their way. Each is answered once.
struct PendingRequests {
    private struct Pending {
        var request: HTTPMessage
        var receivedAt: Int
        var deadline: Int
        /// What workers said of it may be lost.
        var isDoubted = false
        var answer: (HTTPAnswer) -> Void
    }

    private var pending: [UInt64: Pending] = [:]

    var isEmpty: Bool { pending.isEmpty }

    /// - Parameters:
    ///   - receivedAt: milliseconds since the Unix epoch.
    ///   - deadline: nanoseconds of a clock that never goes back.
    mutating func add(
        _ number: UInt64,
        _ request: HTTPMessage,
        receivedAt: Int,
        deadline: Int,
        answer: @escaping (HTTPAnswer) -> Void
    ) {
        pending[number] = Pending(request: request, receivedAt: receivedAt, deadline: deadline, answer: answer)
    }

    mutating func finish(_ number: UInt64, _ answer: HTTPAnswer) {
        pending.removeValue(forKey: number)?.answer(answer)
    }

    /// It never reached a worker.
    mutating func fail(_ number: UInt64, _ code: ErrorCode) {
        guard code != .unavailable, let request = pending[number]?.request else { return finish(number, .unavailable) }
        finish(number, .reply(Frames.errorBody(code, ErrorCode.undeliveredMessage(code), re: request.id), nil))
    }

    mutating func expire(now: Int) {
        for (number, request) in pending where request.deadline <= now {
            pending[number] = nil
            request.answer(.unavailable)
        }
    }

    /// What workers said of those on their way may be lost.
    mutating func doubt() {
        for index in pending.values.indices { pending.values[index].isDoubted = true }
    }

    /// Sends again those whose answers may be lost.
    func sendAgain(_ body: (_ number: UInt64, _ request: HTTPMessage, _ receivedAt: Int, _ deadline: Int) -> Void) {
        for (number, request) in pending where request.isDoubted { body(number, request.request, request.receivedAt, request.deadline) }
    }
}

/// A message that came by HTTP.
struct HTTPMessage: Sendable {
    /// `nil`: anonymous.
    var user: String?
    /// Where it came from; `nil` where that is no IP address.
    var address: String?
    var type: String
    var id: String?
    var message: [UInt8]
}

/// What became of it.
enum HTTPAnswer: Sendable, Equatable {
    /// A worker is through with it; the reply's JSON text, where there is one.
    case reply([UInt8]?, Done.SessionChange?)
    /// No answer in time, or no way to ask.
    case unavailable
}
