import Configuration
import Logging
import SystemPackage

/// The settings of this process: command line first, then the environment, then `.env`. A malformed value is an error, never a default.
struct Settings: Sendable {
    private let reader: ConfigReader

    /// Reads `.env` in the working directory, where there is one. `overrides` come from the command line.
    init(overrides: [String: String?] = [:]) async throws {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for case (let name, let value?) in overrides {
            values[AbsoluteConfigKey(Self.components(name))] = ConfigValue(.string(value), isSecret: false)
        }
        reader = ConfigReader(providers: [
            InMemoryProvider(name: "command line", values: values),
            EnvironmentVariablesProvider(),
            try await EnvironmentVariablesProvider(environmentFilePath: FilePath(".env"), allowMissing: true),
        ])
    }

    private static func components(_ name: String) -> [String] {
        name.lowercased().split(separator: "_").map(String.init)
    }

    private static func key(_ name: String) -> ConfigKey {
        ConfigKey(components(name))
    }

    /// Settings that have a new name, with the old one. It goes on to work for one version, and a warning says so.
    private static let oldNames = [
        "SPARQ_LANES": "SPARQ_POOLS", "SPARQ_LANE": "SPARQ_POOL", "SPARQ_UNCONFIRMED_BATCHES": "SPARQ_PUBLISH_LANES",
    ]

    /// The settings that stand there under their old names.
    var underOldNames: [(name: String, old: String)] {
        Self.oldNames.filter { ownText($0.value) != nil }.map { ($0.key, $0.value) }.sorted { $0.name < $1.name }
    }

    /// The text of a setting; an empty one counts as absent.
    func text(_ name: String) -> String? { ownText(name) ?? Self.oldNames[name].flatMap(ownText) }

    private func ownText(_ name: String) -> String? {
        guard let text = reader.string(forKey: Self.key(name), isSecret: true) else { return nil }
        let unquoted = Self.unquoted(text)
        return unquoted.isEmpty ? nil : unquoted
    }

    /// `.env` files carry quotes; the library keeps them.
    private static func unquoted(_ text: String) -> String {
        for quote in ["\"", "'"] where text.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote) {
            return String(text.dropFirst().dropLast())
        }
        return text
    }

    /// The text of a setting that must be there.
    func requiredText(_ name: String) throws(SettingError) -> String {
        guard let text = text(name) else { throw SettingError(name: name, problem: "is not set") }
        return text
    }

    /// A whole number in a range.
    func integer(_ name: String, default fallback: Int, in range: ClosedRange<Int>) throws(SettingError) -> Int {
        guard let text = text(name) else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            throw SettingError(name: name, problem: "\"\(text)\" is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// A number of milliseconds.
    func milliseconds(_ name: String, default fallback: Duration, in range: ClosedRange<Int> = 1...86_400_000) throws(SettingError)
        -> Duration
    {
        guard text(name) != nil else { return fallback }
        return .milliseconds(try integer(name, default: 0, in: range))
    }

    /// `true` or `false`.
    func flag(_ name: String, default fallback: Bool) throws(SettingError) -> Bool {
        switch text(name)?.lowercased() {
        case nil: return fallback
        case "true", "1", "yes", "on": return true
        case "false", "0", "no", "off": return false
        case let text?: throw SettingError(name: name, problem: "\"\(text)\" is neither true nor false")
        }
    }

    /// A value that knows how to read itself; what it throws becomes the setting's problem.
    func value<Value>(_ name: String, _ text: String, _ read: (String) throws -> Value) throws(SettingError) -> Value {
        do { return try read(text) } catch { throw SettingError(name: name, problem: "\(error)") }
    }
}

/// A setting that is missing or malformed. Names it; never shows a secret's value.
struct SettingError: Error, Equatable, CustomStringConvertible {
    /// The setting, as it stands in the environment.
    let name: String
    /// What is wrong with it.
    let problem: String

    var description: String { "\(name): \(problem)" }
}

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
            let names: Logger.Metadata = ["old": "\(old)", "new": "\(name)"]
            logger.warning("a setting has a new name, the old one works for this version only", metadata: names)
        }
        return logger
    }
}
