import Foundation
import ServiceLifecycle
import SparqFront

/// Writes the port that a front listens on to a file, for those who let it take a free one.
struct PortFile: Service {
    let path: String
    let front: Front

    func run() async throws {
        if let port = await front.port { try "\(port)\n".write(toFile: path, atomically: true, encoding: .utf8) }
        try await gracefulShutdown()
    }
}
