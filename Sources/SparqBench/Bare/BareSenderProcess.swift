import Foundation

/// The yardstick's own process.
final class BareSenderProcess {
    let address: Address
    private let process = Process()

    var pid: Int { Int(process.processIdentifier) }

    init(program: String, receivers: Int, bytes: Int, joined: Int) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["bench", "bare-sender", "--receivers", "\(receivers)", "--bytes", "\(bytes)", "--joined", "\(joined)"]
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = UInt16(line.prefix { $0.isNumber }) else { throw BenchError("the bare sender did not start") }
        address = Address(host: "127.0.0.1", port: port)
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }
}
