import Foundation
import Testing

/// Allocations of the hot steps stay below their ceilings. They are counted by a program of its own, because it takes malloc's place.
struct AllocationTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func staysBelowTheCeilings() throws {
        let output = try run(["--check"])
        #expect(output.status == 0, "\(output.text)")
        #expect(output.text.contains("scan:"))
    }

    private func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = Self.root.appendingPathComponent(".build/debug/sparq-micro")
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }
}
