import Sparq

/// The data of a history's reply: `{"events":[…],"more":true}`, the events as clients get them live, the oldest first.
struct HistoryPage: Sendable {
    /// The most bytes of events; the newest comes whatever its size. Keeps a reply far below what a connection may have waiting.
    static let byteLimit = 256 * 1024

    /// One JSON object.
    let json: RawJSON

    init(newestFirst rows: PostgresResult, of topic: Topic, limit: Int) throws {
        var events: [[UInt8]] = []
        var bytes = 0
        for row in rows.prefix(limit) {
            let (seq, at, type, data) = try row.decode(Int.self, String.self, String.self, String.self)
            var writer = JSONWriter(reservingCapacity: data.utf8.count + 160)
            writer.raw(#"{"type":"#)
            writer.string(type)
            writer.raw(#","topic":"#)
            writer.string(topic.rawValue)
            writer.raw(#","seq":"#)
            writer.integer(seq)
            writer.raw(#","at":"#)
            writer.string(at)
            writer.raw(#","data":"#)
            writer.raw(data.utf8)
            writer.raw("}")
            bytes += writer.bytes.count
            guard events.isEmpty || bytes <= Self.byteLimit else { break }
            events.append(writer.bytes)
        }
        var writer = JSONWriter(reservingCapacity: min(bytes, Self.byteLimit) + 64)
        writer.raw(#"{"events":["#)
        for (index, event) in events.reversed().enumerated() {
            if index > 0 { writer.raw(",") }
            writer.raw(event)
        }
        writer.raw(#"],"more":"#)
        writer.raw(events.count < rows.count ? "true" : "false")
        writer.raw("}")
        json = RawJSON(writer.bytes[...])
    }
}
