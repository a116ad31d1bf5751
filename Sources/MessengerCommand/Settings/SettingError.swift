/// A setting that is missing or malformed. Names it; never shows a secret's value.
struct SettingError: Error, Equatable, CustomStringConvertible {
    /// The setting, as it stands in the environment.
    let name: String
    /// What is wrong with it.
    let problem: String

    var description: String { "\(name): \(problem)" }
}
