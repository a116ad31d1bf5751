#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A folder of SQL files.
struct SQLFolder {
    let directory: String
    /// What its files are, in errors.
    let content: String

    /// The names of its SQL files, in the order of their bytes. Files that do not end in `.sql` are none.
    func files() throws(PostgresError) -> [String] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw MigrationPlan.error(directory, "the folder of \(content) cannot be read")
        }
        return names.filter { $0.hasSuffix(".sql") && !$0.hasPrefix(".") }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The text of one file.
    func text(of file: String) throws(PostgresError) -> String {
        guard let data = FileManager.default.contents(atPath: "\(directory)/\(file)") else {
            throw MigrationPlan.error(file, "the file cannot be read")
        }
        guard let text = String(validating: data, as: UTF8.self), !text.utf8.contains(0) else {
            throw MigrationPlan.error(file, "the file is not UTF-8 text")
        }
        return text
    }
}
