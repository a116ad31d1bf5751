/// Some messages of one connection, in order, that go through the next stages together.
struct Run: Sendable {
    var units: [Unit]
    /// The AMQP message that they came in; one part of it is open for this run.
    let batch: InboundBatch
    /// Told when all of it is published and confirmed, or given up.
    var delivered: Delivered?

    var ticket: Ticket { Ticket(batch: batch, delivered: delivered) }
    var weight: Int { units.reduce(0) { $0 + $1.weight } }
}
