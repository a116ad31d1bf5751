import Foundation

/// Files of a test.
enum TestFiles {
    static func write(_ text: String, to folder: String, _ name: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
    }

    static func remove(_ folder: String) { try? FileManager.default.removeItem(atPath: folder) }
}
