import FoundationEssentials
import SparqWire
import SparqWorker

/// Dead letters as text for people and as JSON for programs.
enum DeadText {
    /// A line for each letter, below a heading.
    static func table(_ letters: [DeadLetter]) -> [String] {
        let rows =
            [["#", "ID", "TIME", "TYPE", "USER", "LANE", "TRIES", "REASON"]]
            + letters.enumerated().map { index, letter in
                [
                    "\(index + 1)", letter.id, time(letter) ?? "-", type(letter), clean(letter.user ?? "-", 24),
                    clean(letter.lane ?? "-", 24), letter.attempts.map(String.init) ?? "-", clean(letter.reason, 120),
                ]
            }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).dropLast().map { $0 + String(repeating: " ", count: $1 - $0.count + 2) }.joined() + (row.last ?? "")
        }
    }

    /// A letter with its messages.
    static func lines(_ letter: DeadLetter, messages: [ArraySlice<UInt8>]) -> [String] {
        let fields: [(String, String?)] = [
            ("id", letter.id), ("reason", clean(letter.reason)), ("type", type(letter)), ("user", letter.user.map { clean($0) }),
            ("time", time(letter)), ("attempts", letter.attempts.map(String.init)), ("lane", letter.lane.map { clean($0) }),
            ("retry", letter.obstacle.map { "not possible: \($0)" } ?? "possible"),
        ]
        let texts = messages.isEmpty ? [("unreadable", letter.body[...])] : messages.map { ("message", $0) }
        return (fields + texts.map { ($0, clean(String(decoding: $1, as: UTF8.self))) }).compactMap { name, value in
            value.map { name + String(repeating: " ", count: 12 - name.count) + $0 }
        }
    }

    /// One JSON object; `messages` as the clients' own JSON.
    static func write(_ letter: DeadLetter, messages: [ArraySlice<UInt8>]?, into writer: inout JSONWriter) {
        writer.raw("{\"id\":")
        writer.string(letter.id)
        writer.raw(",\"reason\":")
        writer.string(letter.reason)
        let texts: [(StaticString, String?)] = [
            (",\"type\":", letter.type), (",\"user\":", letter.user), (",\"time\":", time(letter)), (",\"obstacle\":", letter.obstacle),
            // A lane's older name, for whoever reads it by that.
            (",\"lane\":", letter.lane), (",\"pool\":", letter.lane),
        ]
        for case (let name, let text?) in texts {
            writer.raw(name)
            writer.string(text)
        }
        if let attempts = letter.attempts {
            writer.raw(",\"attempts\":")
            writer.integer(attempts)
        }
        writer.raw(letter.isRedacted ? ",\"redacted\":true" : ",\"redacted\":false")
        if let messages {
            writer.raw(",\"messages\":")
            writer.array(messages) { message, writer in writer.json(message) }
            if messages.isEmpty {
                writer.raw(",\"unreadable\":")
                writer.string(String(decoding: letter.body, as: UTF8.self))
            }
        }
        writer.raw("}")
    }

    private static func type(_ letter: DeadLetter) -> String {
        if let type = letter.type { return clean(type, 40) }
        return letter.envelopes.isEmpty ? "-" : "(\(letter.envelopes.count) messages)"
    }

    private static func time(_ letter: DeadLetter) -> String? {
        letter.time.map { Date(timeIntervalSince1970: Double($0) / 1000).formatted(.iso8601) }
    }

    /// Clients choose these texts: control characters must not reach the terminal.
    private static func clean(_ text: String, _ limit: Int = .max) -> String {
        let scalars = text.unicodeScalars.map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
            default: scalar
            }
        }
        var clean = String(String.UnicodeScalarView(scalars))
        if clean.count > limit { clean = clean.prefix(limit - 1) + "…" }
        return clean
    }
}
