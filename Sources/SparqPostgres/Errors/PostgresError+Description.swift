extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
    /// What failed and where, without values.
    public var description: String {
        var text = "\(code)"
        if let sqlState { text += " \(sqlState)" }
        if let file { text += " in \(file)" }
        if let line { text += " line \(line)" } else if let position { text += " at character \(position)" }
        // Messages about data (class 22) quote it; those of RAISE (class P0) hold whatever their author put in.
        let quotesValues = sqlState.map { $0.hasPrefix("22") || $0.hasPrefix("P0") } ?? false
        text += quotesValues ? ": the server's message may quote values" : ": \(message)"
        for (name, value) in [("schema", schema), ("table", table), ("column", column), ("constraint", constraint)] {
            if let value { text += " [\(name) \(value)]" }
        }
        if isOutcomeUnknown { text += " [outcome unknown]" }
        return text
    }

    /// Everything, values that the server quotes included.
    public var debugDescription: String {
        var text = "PostgresError(\(description) | message: \(message)"
        if let detail { text += " | detail: \(detail)" }
        if let hint { text += " | hint: \(hint)" }
        return text + ")"
    }
}
