import SparqWire

/// What one message may bring, so that the broker takes it, fronts can read it, and clients' sockets have room for it (docs/PROTOCOL.md, "Limits").
///
/// RabbitMQ takes messages of 128 MiB (3.10) or 16 MiB (4.x); beyond that a publish is refused each time it is tried.
enum DataLimits {
    /// Bytes of the data of one reply or event.
    static let bytes = 1 << 20
    /// Bytes of all that one message brings, about: what goes to its own connection travels in one AMQP message.
    static let sum = 8 << 20

    /// Why data that is in the log cannot be delivered; `nil` where it can. What was written before there were limits may be larger than what is
    /// written now.
    static func flaw(_ data: ArraySlice<UInt8>) -> EventBody.Omission? {
        guard data.count <= sum else { return .tooLarge }
        do throws(JSONError) {
            try JSONDepth.check(data, limit: JSONDepth.data)
            return nil
        } catch {
            return error.reason == .tooDeep ? .tooDeep : .notJSON
        }
    }
}

/// The bytes of a message's effects, while they are taken.
struct EffectBytes {
    private var count = 0

    /// The JSON text of a reply's or an event's data. Throws a ``Refusal`` where it is over a limit.
    mutating func encode(_ value: any Encodable) throws -> ArraySlice<UInt8> {
        let data = try DataEncoder.encode(value)
        guard data.count <= DataLimits.bytes else { throw Refusal.tooMuch }
        do throws(JSONError) {
            try JSONDepth.check(data, limit: JSONDepth.data)
        } catch {
            if error.reason == .tooDeep { throw Refusal.tooMuch }
            throw InvalidData(error: error)
        }
        try add(data.count + 512)
        return data
    }

    /// Counts what has no data.
    mutating func add(_ more: Int) throws {
        count += more
        guard count <= DataLimits.sum else { throw Refusal.tooMuch }
    }
}

/// A handler gave raw JSON that is none.
struct InvalidData: Error, CustomStringConvertible {
    var error: JSONError
    var description: String { "the data of a reply or an event is not JSON: \(error)" }
}

extension Refusal {
    static let tooMuch = Refusal(
        .tooLarge,
        "What follows from the message is too large: \(DataLimits.bytes) bytes and \(JSONDepth.data) levels for a reply or an event, \(DataLimits.sum) bytes for all."
    )
}
