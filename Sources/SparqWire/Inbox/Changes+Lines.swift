/// The form that the inbox holds: one change a line, a tab between its fields; in these, control characters and the percent sign are written as a
/// percent sign and two hexadecimal digits.
///
/// This version reads JSON too (``Changes/json``) but does not write it: workers of the version before, which may work beside it, read lines only. The
/// next version writes JSON. The lines can go when no inbox is older than that.
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

    /// `nil` where there are none.
    package var lines: String? {
        if list.isEmpty { return nil }
        var bytes: [UInt8] = []
        if let origin { Self.write(["origin", origin.connection, "\(origin.ordinal)"], to: &bytes) }
        for change in list {
            let fields =
                switch change {
                case .subscribe(let topic, nil): ["subscribe", topic]
                case .subscribe(let topic, let cursor?): ["subscribe", topic, "\(cursor)"]
                case .unsubscribe(let topic, nil): ["unsubscribe", topic]
                case .unsubscribe(let topic, let user?): ["unsubscribe", topic, user]
                case .disconnect(nil, let code, let reason): ["disconnect", "\(code)", reason]
                case .disconnect(.connection(let id)?, let code, let reason): ["disconnect-connection", "\(code)", reason, id]
                case .disconnect(.user(let id)?, let code, let reason): ["disconnect-user", "\(code)", reason, id]
                case .beginSession(let user): ["begin-session", user]
                case .endSession: ["end-session"]
                }
            Self.write(fields, to: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func write(_ fields: [String], to bytes: inout [UInt8]) {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: "\n")) }
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "\t")) }
            for byte in field.utf8 {
                if byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "%") {
                    bytes.append(UInt8(ascii: "%"))
                    bytes += [byte >> 4, byte & 0xF].map { $0 < 10 ? UInt8(ascii: "0") + $0 : UInt8(ascii: "A") + $0 - 10 }
                } else {
                    bytes.append(byte)
                }
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
