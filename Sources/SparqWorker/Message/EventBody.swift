import SparqWire

/// The JSON texts of events as clients get them (docs/PROTOCOL.md, "From the server").
enum EventBody {
    static func durable(
        type: String,
        topic: String,
        seq: Int,
        at: ArraySlice<UInt8>,
        data: ArraySlice<UInt8>
    ) -> ArraySlice<UInt8> {
        var writer = JSONWriter(reservingCapacity: 96 + type.utf8.count + topic.utf8.count + data.count)
        writer.raw("{\"type\":")
        writer.string(type)
        writer.raw(",\"topic\":")
        writer.string(topic)
        writer.raw(",\"seq\":")
        writer.integer(seq)
        writer.raw(",\"at\":\"")
        writer.raw(at)
        writer.raw("\",\"data\":")
        writer.json(data)
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes[...]
    }

    /// An event from the log. What no front can read, or the broker does not take, comes without its data: it must not stop its topic.
    static func logged(
        type: String,
        topic: String,
        seq: Int,
        at: ArraySlice<UInt8>,
        data: ArraySlice<UInt8>
    ) -> ArraySlice<UInt8> {
        guard let flaw = DataLimits.flaw(data) else { return durable(type: type, topic: topic, seq: seq, at: at, data: data) }
        return omitted(type: type, topic: topic, seq: seq, at: at, flaw)
    }

    /// A durable event that cannot be delivered as it is, with the reason instead of its data.
    static func omitted(type: String, topic: String, seq: Int, at: ArraySlice<UInt8>, _ reason: String) -> ArraySlice<UInt8> {
        var writer = JSONWriter(reservingCapacity: 128)
        writer.raw(durable(type: type, topic: topic, seq: seq, at: at, data: Array("null".utf8)[...]).dropLast())
        writer.raw(",\"omitted\":")
        writer.string(reason)
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes[...]
    }

    static func ephemeral(type: String, topic: String?, data: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var writer = JSONWriter(reservingCapacity: 64 + type.utf8.count + data.count)
        writer.raw("{\"type\":")
        writer.string(type)
        if let topic {
            writer.raw(",\"topic\":")
            writer.string(topic)
        }
        writer.raw(",\"data\":")
        writer.json(data)
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes[...]
    }

    /// `$subscribed`: the server subscribed the client; these are its cursors. `$offered`: it would have, if the client were new.
    static func subscribed(_ grants: [Grant], isOffer: Bool) -> ArraySlice<UInt8> {
        var writer = JSONWriter(reservingCapacity: 64 + grants.count * 40)
        if isOffer { writer.raw("{\"type\":\"$offered\",\"topics\":{") } else { writer.raw("{\"type\":\"$subscribed\",\"topics\":{") }
        for (index, grant) in grants.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.string(grant.topic)
            writer.raw(":")
            writer.integer(grant.cursor)
        }
        writer.raw("}}")
        return writer.bytes[...]
    }

    /// `2026-01-31T12:00:00.000Z`, from milliseconds since the Unix epoch.
    static func timestamp(milliseconds: Int) -> ArraySlice<UInt8> {
        let (days, ofDay) = (milliseconds.flooredQuotient(86_400_000), milliseconds.flooredRemainder(86_400_000))
        // Days to a civil date, counted in eras of 400 years from the first of March, 0000.
        let shifted = days + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        var text: [UInt8] = []
        text.reserveCapacity(24)
        func put(_ value: Int, _ width: Int, _ end: Unicode.Scalar) {
            var divisor = 1
            for _ in 1..<width { divisor *= 10 }
            while divisor > 0 {
                text.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
                divisor /= 10
            }
            text.append(UInt8(ascii: end))
        }
        put(year, 4, "-")
        put(month, 2, "-")
        put(day, 2, "T")
        put(ofDay / 3_600_000, 2, ":")
        put(ofDay / 60_000 % 60, 2, ":")
        put(ofDay / 1000 % 60, 2, ".")
        put(ofDay % 1000, 3, "Z")
        return text[...]
    }
}

extension Int {
    fileprivate func flooredQuotient(_ divisor: Int) -> Int { (self - flooredRemainder(divisor)) / divisor }
    fileprivate func flooredRemainder(_ divisor: Int) -> Int { (self % divisor + divisor) % divisor }
}
