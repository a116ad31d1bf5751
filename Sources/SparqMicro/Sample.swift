import SparqWire

/// What the operations work on: one chat message of 200 bytes, and what becomes of it on its way.
enum Sample {
    static let message: [UInt8] = {
        let start = "{\"type\":\"room.send\",\"id\":\"c-000000042\",\"room\":\"engineering\",\"text\":\""
        return Array((start + String(repeating: "x", count: 198 - start.utf8.count) + "\"}").utf8)
    }()

    static let envelope = Envelope(
        node: "f-1a2b3c4d",
        connection: "f-1a2b3c4d-0-5e6f",
        ordinal: 42,
        user: "ada",
        receivedAt: 1_767_225_600_000,
        type: "room.send",
        id: "c-000000042",
        message: message[...]
    )

    static let event: [UInt8] = {
        let start =
            "{\"type\":\"room.message\",\"topic\":\"room:engineering\",\"seq\":42,\"at\":\"2026-01-31T12:00:00.000Z\","
            + "\"data\":{\"room\":\"engineering\",\"from\":\"ada\",\"text\":\""
        return Array((start + String(repeating: "x", count: 268 - start.utf8.count) + "\"}}").utf8)
    }()

    static let reply = Array("{\"re\":\"c-000000042\",\"ok\":true,\"data\":{}}".utf8)

    static let deliveries: [Delivery] = [
        .event(Event(topic: "room:engineering", seq: 42, body: event[...])),
        .done(Done(connection: "f-1a2b3c4d-0-5e6f", ordinal: 42, reply: reply[...])),
    ]

    /// Messages of a full batch.
    static let batch = 32

    static func line(_ encode: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        encode(&writer)
        return writer.bytes
    }
}
