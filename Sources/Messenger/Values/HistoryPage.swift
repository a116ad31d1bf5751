import Sparq

/// The data of a history's reply: `{"events":[…],"more":true}`, the events as clients get them live, the oldest first.
struct HistoryPage: Sendable {
    /// The most bytes of events; the newest comes whatever its size. Keeps a reply far below what a connection may have waiting.
    static let byteLimit = 256 * 1024

    /// One JSON object.
    let json: RawJSON

    init(newestFirst rows: PostgresResult, of topic: Topic, limit: Int) throws {
        var events: [ArraySlice<UInt8>] = []
        var bytes = 0
        for row in rows.prefix(limit) {
            let (seq, at, type, data) = try row.decode(Int.self, String.self, String.self, String.self)
            let event = EventBody.durable(
                type: type,
                topic: topic.rawValue,
                seq: seq,
                at: Array(at.utf8)[...],
                data: Array(data.utf8)[...]
            )
            bytes += event.count
            guard events.isEmpty || bytes <= Self.byteLimit else { break }
            events.append(event)
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
