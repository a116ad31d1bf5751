import SparqAMQP
import SparqWire

/// The queue of dead letters as one look at it holds it: what was taken, what is to be removed, what has to go back.
///
/// AMQP has no confirm for an ack. The broker's channel reads it and hands it to the queue, which carries it out later; and while more than
/// 32 wait for a quorum queue the channel keeps further ones to itself, where a closed connection loses them: the letters come back.
/// `basic.get` is different: the queue carries it out in its turn, and only then it is answered. So a get that is answered proves all
/// removals before it, as long as they are few enough to be handed on at once.
struct LetterBox: Sendable {
    struct Taken: Sendable {
        var tag: DeliveryTag
        var letter: DeadLetter
    }

    /// Commands to the queue between two proofs; half of what the channel hands on at once.
    private static let batch = 16
    /// For what was given back to be seen. Not for ever, as others may take it meanwhile.
    private static let patience: Duration = .seconds(2)

    private let session: AMQPSession
    private let queue: String
    private let names: BrokerNames
    /// Taken, and not put back.
    private var held: [Taken] = []
    private var removed: Set<DeliveryTag> = []
    private var removing: [DeadLetter] = []

    init(session: AMQPSession, names: BrokerNames) {
        self.session = session
        self.names = names
        queue = names.dead
    }

    /// Acked, and not known to be gone.
    var unconfirmed: [DeadLetter] { removing }

    /// Takes letters until there is none left, or so many are taken. They are the broker's until they are removed.
    mutating func take(_ limit: Int) async throws -> [Taken] {
        do throws(AMQPError) {
            _ = try await readyCount()
        } catch {
            guard error.replyCode == 404 else { throw error }
            throw DeadLettersError(.noQueue, "There is no queue \"\(queue)\" on this broker: no worker has run with this prefix yet.")
        }
        while held.count < limit, try await takeOne() {}
        return held
    }

    /// Acks a letter that was taken. Returns those that are known to be gone since; this one may be among them later.
    mutating func remove(_ item: Taken) async throws(AMQPError) -> [DeadLetter] {
        try await session.ack(item.tag)
        removed.insert(item.tag)
        removing.append(item.letter)
        return removing.count >= Self.batch ? try await confirmRemovals() : []
    }

    /// Returns the acked letters when the broker has proved that they are gone.
    mutating func confirmRemovals() async throws(AMQPError) -> [DeadLetter] {
        guard !removing.isEmpty else { return [] }
        // What a get takes beyond the limit goes back with the others, behind them. Two, because a queue that gets a new leader
        // carries out a get at once, and what was under way when the leader changed right behind it.
        for _ in 0..<2 { _ = try await takeOne() }
        defer { removing = [] }
        return removing
    }

    /// Gives back what is held, in its order: the broker delivers what came back before what it never delivered, first come first served.
    /// So a look at all of them keeps the order, and one that its limit cuts short puts its letters behind others that came back earlier.
    mutating func putBack() async throws(AMQPError) {
        var rest = held.filter { !removed.contains($0.tag) }[...]
        held = []
        var ready = try await readyCount()
        while !rest.isEmpty {
            let batch = rest.prefix(Self.batch)
            for item in batch { try await session.reject(item.tag, requeue: true) }
            rest = rest.dropFirst(batch.count)
            ready = try await awaitReady(ready + batch.count)
        }
    }

    private mutating func takeOne() async throws(AMQPError) -> Bool {
        guard let delivery = try await session.get(queue: queue) else { return false }
        held.append(Taken(tag: delivery.tag, letter: DeadLetter(delivery.message, names: names)))
        return true
    }

    /// A letter that is given back is ready when the queue has carried it out: looks until so many are.
    private func awaitReady(_ count: Int) async throws(AMQPError) -> Int {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let ready = try await readyCount()
            if ready >= count || .now >= deadline { return ready }
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    private func readyCount() async throws(AMQPError) -> Int { try await session.inspect(queue: queue).messageCount }
}
