import SparqAMQP
import DequeModule
import SparqWire

/// What is still to be published to a node, in order. A value without I/O.
///
/// What the broker does not take (406) becomes smaller pieces, and is not offered again: each time ends the publisher's channel.
struct Unpublished {
    private var left: Deque<AMQPMessage>

    init(_ message: AMQPMessage) { left = [message] }

    /// What comes next.
    var next: AMQPMessage? { left.first }

    /// The next one is published.
    mutating func confirmed() { left.removeFirst() }

    /// The broker does not take the next one: in its place come its lines in halves, or a line with less in it. Where nothing is left to leave out it is
    /// lost.
    mutating func refused() {
        let message = left.removeFirst()
        let lines = NDJSON.lines(message.body)[...]
        let middle = lines.startIndex + lines.count / 2
        let pieces = lines.count > 1 ? [lines[..<middle], lines[middle...]] : Self.smaller(lines).map { [$0] } ?? []
        for piece in pieces.reversed() {
            let body = piece.reduce(into: [UInt8]()) { body, line in body += line + [UInt8(ascii: "\n")] }
            left.prepend(AMQPMessage(body: body, contentType: NDJSON.contentType, persistent: message.persistent))
        }
    }

    private static func smaller(_ lines: ArraySlice<ArraySlice<UInt8>>) -> ArraySlice<ArraySlice<UInt8>>? {
        guard let line = lines.first, let smaller = (try? SparqWire.Delivery(line: line))?.smaller else { return nil }
        var writer = JSONWriter(reservingCapacity: 1024)
        for delivery in smaller { delivery.encode(into: &writer) }
        return writer.bytes.count < line.count ? NDJSON.lines(writer.bytes)[...] : nil
    }
}
