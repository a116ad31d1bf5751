/// The node's questions for its readers, those subscribers that are behind: which wait here for their turn, and which are with the workers. A bounded
/// number is unanswered at a time: when many readers come back at once, as after an outage, neither leases nor other nodes wait behind them all. A value
/// without I/O.
package struct ReadPacer: Sendable {
    package struct Key: Hashable, Sendable {
        package var connection: ConnectionID
        package var topic: String

        package init(connection: ConnectionID, topic: String) {
            self.connection = connection
            self.topic = topic
        }
    }

    /// A question to be sent.
    package struct Question: Equatable, Sendable {
        package var key: Key
        package var after: Int
    }

    private enum Phase: Sendable {
        case waiting
        case asked(at: Int, attempt: Int)
        /// The answer was that there is more, and nothing of it: asked again then.
        case resting(until: Int)
    }

    private struct Read: Sendable {
        var after: Int
        var phase: Phase
    }

    private let limit: Int
    private var reads: [Key: Read] = [:]
    private var queue = NameQueue<Key>()
    /// Those that are no longer waiting: the ones that time matters to.
    private var open: Set<Key> = []
    /// How many of these are with the workers.
    package private(set) var unanswered = 0

    package init(limit: Int) { self.limit = limit }

    package var isEmpty: Bool { reads.isEmpty }

    /// From where a reader asks, if it does.
    package func after(_ key: Key) -> Int? { reads[key]?.after }

    /// A reader wants what comes after `after`. One that waits keeps its place.
    package mutating func want(_ key: Key, after: Int) {
        close(key)
        reads[key] = Read(after: after, phase: .waiting)
        queue.append(key)
    }

    /// A reader has its answer, or is gone.
    package mutating func settle(_ key: Key) {
        close(key)
        queue.remove(key)
        reads[key] = nil
    }

    /// The answer was that there is more, and nothing of it. It leaves its place to others meanwhile.
    package mutating func rest(_ key: Key, until time: Int) {
        guard case .asked = reads[key]?.phase else { return }
        unanswered -= 1
        reads[key]?.phase = .resting(until: time)
    }

    /// What is to be asked now.
    package mutating func next(now: Int) -> Question? {
        while unanswered < limit, let key = queue.popFirst() {
            guard let after = reads[key]?.after else { continue }
            ask(key, now: now, attempt: 0)
            return Question(key: key, after: after)
        }
        return nil
    }

    /// Time passed. Returns what is to be asked again: what is lost keeps its place with the workers, what has rested waits for one.
    package mutating func tick(now: Int, isLost: (_ askedAt: Int, _ attempt: Int) -> Bool) -> [Question] {
        var again: [Question] = []
        for key in open {
            guard let read = reads[key] else { continue }
            switch read.phase {
            case .asked(let time, let attempt) where isLost(time, attempt):
                reads[key]?.phase = .asked(at: now, attempt: attempt + 1)
                again.append(Question(key: key, after: read.after))
            case .resting(let time) where time <= now: want(key, after: read.after)
            default: break
            }
        }
        return again
    }

    private mutating func ask(_ key: Key, now: Int, attempt: Int) {
        reads[key]?.phase = .asked(at: now, attempt: attempt)
        open.insert(key)
        unanswered += 1
    }

    private mutating func close(_ key: Key) {
        guard open.remove(key) != nil else { return }
        if case .asked = reads[key]?.phase { unanswered -= 1 }
    }
}
