/// Counts what is still open of one AMQP message, which is acked when the last is done. A value without I/O.
struct PendingBatch: Equatable, Sendable {
    private(set) var open: Int
    /// Something of it cannot be finished here: it must not be acked, so that the broker delivers it again.
    private(set) var isAbandoned = false

    /// A batch with so many parts open.
    init(open: Int) { self.open = open }

    /// More parts that must be finished first.
    mutating func begin(_ count: Int = 1) { open += count }

    /// A part is finished; true where it was the last one and the batch may be acked.
    mutating func finish(_ count: Int = 1) -> Bool {
        // Counting below zero would ack a batch twice, which closes the channel.
        precondition(count <= open, "more parts finished than begun")
        open -= count
        return open == 0 && !isAbandoned
    }

    /// A part will not be finished.
    mutating func abandon() { isAbandoned = true }
}
