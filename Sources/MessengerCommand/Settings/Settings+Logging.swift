import Logging

extension Settings {
    /// The root logger of a command; lines go to standard error.
    func makeLogger(_ label: String) throws(SettingError) -> Logger {
        let text = text("SPARQ_LOG_LEVEL") ?? "info"
        guard let level = Logger.Level(rawValue: text.lowercased()) else {
            throw SettingError(
                name: "SPARQ_LOG_LEVEL",
                problem: "\"\(text)\" is none of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        var logger = Logger(label: label, factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = level
        for (name, old) in underOldNames {
            logger.warning("a setting has a new name, the old one works for this version only", metadata: ["old": "\(old)", "new": "\(name)"])
        }
        return logger
    }
}
