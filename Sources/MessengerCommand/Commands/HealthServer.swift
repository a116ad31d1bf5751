import Hummingbird
import Logging
import ServiceLifecycle

/// A worker's `/healthz` (alive) and `/readyz` (consumes), on a port of their own.
struct HealthServer: Service {
    let host: String
    let port: Int
    let readiness: ReadinessReport
    let logger: Logger

    func run() async throws {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.get("healthz") { _, _ in "ok\n" }
        router.get("readyz") { [readiness] _, _ in
            let ready = readiness.isReady
            return EditedResponse(status: ready ? .ok : .serviceUnavailable, response: ready ? "ready\n" : "not ready\n")
        }
        let application = Application(
            router: router,
            configuration: .init(address: .hostname(host, port: port), serverName: nil),
            logger: logger
        )
        try await application.run()
    }
}
