import Foundation

/// Where the servers and the binary are: from the environment, as `make test` sets it.
enum TestEnvironment {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    static func required(_ name: String) throws -> String {
        guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
            throw Missing(description: "\(name) is not set; `make test` starts the servers and sets it")
        }
        return value
    }

    static func amqpURL() throws -> String { try required("SPARQ_TEST_AMQP_URL") }
    static func postgresURL() throws -> String { try required("SPARQ_TEST_POSTGRES_URL") }

    /// The repository's root, above this file.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The binary under test; by default the one beside the test bundle.
    static func binary() throws -> String {
        let named = ProcessInfo.processInfo.environment["SPARQ_TEST_BINARY"]
        let path = named ?? root.appendingPathComponent(".build/debug/sparq").path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Missing(description: "No binary at \(path); build it, or set SPARQ_TEST_BINARY")
        }
        return path
    }

    /// A URL with another host and port, and optionally another path.
    static func url(_ text: String, port: Int? = nil, path: String? = nil) throws -> String {
        guard var parts = URLComponents(string: text) else { throw Missing(description: "A server's URL cannot be read") }
        if let port {
            parts.host = "127.0.0.1"
            parts.port = port
        }
        if let path { parts.path = path }
        return parts.string ?? text
    }

    static func random(_ prefix: String) -> String {
        prefix + String(UInt32.random(in: .min ... .max), radix: 36) + String(UInt32.random(in: .min ... .max), radix: 36)
    }
}
