import Foundation
import SparqPostgres
import Testing

/// A database of a test's own, and the folder of files that migrate it.
struct MigratedDatabase {
    let url: String
    let folder: String

    /// Lends it, and removes it afterwards.
    ///
    /// - Parameter files: Texts by path; functions are in `functions/`.
    static func with(_ files: [String: String], _ body: (MigratedDatabase) async throws -> Void) async throws {
        let name = Database.name("migrate")
        let folder = "/tmp/\(name)"
        try FileManager.default.createDirectory(atPath: "\(folder)/functions", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await Database.withPool { pool in
            try await pool.query("CREATE DATABASE \(name)")
            var address = try #require(URLComponents(string: try Database.url))
            address.path = "/\(name)"
            do {
                let own = MigratedDatabase(url: try #require(address.string), folder: folder)
                try own.write(files)
                try await body(own)
            } catch {
                try await pool.query("DROP DATABASE \(name) WITH (FORCE)")
                throw error
            }
            try await pool.query("DROP DATABASE \(name) WITH (FORCE)")
        }
    }

    var configuration: PostgresConfiguration { get throws { try PostgresConfiguration(url: url) } }

    func write(_ files: [String: String]) throws {
        for (file, text) in files { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(file)")) }
    }
}
