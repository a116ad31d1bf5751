import Foundation
import Testing

/// What `scripts/bench` makes of pgbench's log.
struct PercentilesTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func percentiles(_ numbers: [Int]) throws -> String {
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = Self.root.appendingPathComponent("scripts/percentiles")
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        input.fileHandleForWriting.write(Data(numbers.map { "\($0)\n" }.joined().utf8))
        try input.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text
    }

    @Test func aTailIsNoMean() throws {
        let numbers = Array(repeating: 230, count: 985) + Array(repeating: 40_000, count: 15)
        #expect(try percentiles(numbers) == "1000 {\"p50\":230,\"p90\":230,\"p99\":40000,\"p999\":40000,\"max\":40000}\n")
    }

    @Test func ranksCountFromOne() throws {
        #expect(try percentiles(Array(1...1_000)) == "1000 {\"p50\":500,\"p90\":900,\"p99\":990,\"p999\":999,\"max\":1000}\n")
        #expect(try percentiles([7]) == "1 {\"p50\":7,\"p90\":7,\"p99\":7,\"p999\":7,\"max\":7}\n")
    }
}
