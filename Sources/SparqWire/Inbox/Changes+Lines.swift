/// The form before JSON: one change a line, a tab between its fields; in these, control characters and the percent sign are written as a percent sign
/// and two hexadecimal digits. Nothing writes it any more. It can go when the inbox of no database is older than the first version with JSON.
extension Changes {
    /// Lines that cannot be read are passed over.
    init(lines text: String) {
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map(Self.field)
            switch (fields[0], fields.count) {
            case ("origin", 3):
                if let ordinal = Int(fields[2]) { origin = Origin(connection: fields[1], ordinal: ordinal) }
            case ("subscribe", 2): list.append(.subscribe(fields[1], from: nil))
            case ("subscribe", 3): if let cursor = Int(fields[2]) { list.append(.subscribe(fields[1], from: cursor)) }
            case ("unsubscribe", 2): list.append(.unsubscribe(fields[1], user: nil))
            case ("unsubscribe", 3): list.append(.unsubscribe(fields[1], user: fields[2]))
            case ("disconnect", 3), ("disconnect-connection", 4), ("disconnect-user", 4):
                guard let code = Int(fields[1]) else { continue }
                let target: Target? = fields.count == 3 ? nil : fields[0] == "disconnect-user" ? .user(fields[3]) : .connection(fields[3])
                list.append(.disconnect(target, code: code, reason: fields[2]))
            case ("begin-session", 2): list.append(.beginSession(user: fields[1]))
            case ("end-session", 1): list.append(.endSession)
            default: continue
            }
        }
    }

    private static func field(_ raw: Substring.UTF8View) -> String {
        guard raw.contains(UInt8(ascii: "%")) else { return String(Substring(raw)) }
        var bytes: [UInt8] = []
        var rest = raw
        while let byte = rest.popFirst() {
            let code = byte == UInt8(ascii: "%") ? UInt8(String(Substring(rest.prefix(2))), radix: 16) : nil
            if code != nil { rest = rest.dropFirst(2) }
            bytes.append(code ?? byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
