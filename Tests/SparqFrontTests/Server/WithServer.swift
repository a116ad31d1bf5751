import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import SparqWebSocket

@testable import SparqFront

typealias TestServer = FrontServer<TestAcceptor, RouterResponder<BasicRequestContext>>

struct RunningServer: Sendable {
    let port: Int
    let acceptor: TestAcceptor
    let server: TestServer
    let group: ServiceGroup
    /// One element for every request whose handler runs.
    let requests: AsyncStream<Void>
    /// Done when the server's run() is.
    let ended: @Sendable () async throws -> Void
}

/// Runs a server on a free port for the time of the test.
func withServer(
    _ configure: (inout FrontServerConfiguration) -> Void = { _ in },
    _ body: @Sendable (RunningServer) async throws -> Void
) async throws {
    var configuration = FrontServerConfiguration()
    configuration.port = 0
    configuration.socket.closeTimeout = .milliseconds(300)
    configure(&configuration)
    let acceptor = TestAcceptor()
    let (requests, requestBegan) = AsyncStream<Void>.makeStream()
    let router = Router()
    router.get("hello") { _, _ in "hello" }
    router.post("length") { request, _ in
        requestBegan.yield()
        var count = 0
        for try await chunk in request.body { count += chunk.readableBytes }
        return "\(count)"
    }
    router.get("stuck") { _, _ in
        requestBegan.yield()
        try await Task.sleep(for: .seconds(60))
        return "late"
    }
    router.get("endless") { _, _ in
        Response(
            status: .ok,
            body: ResponseBody { writer in
                while true { try await writer.write(ByteBuffer(repeating: 0, count: 65_536)) }
            }
        )
    }
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let server = TestServer(configuration: configuration, acceptor: acceptor, responder: router.buildResponder(), logger: logger)
    let group = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: logger))
    let run = Task { try await group.run() }
    defer { run.cancel() }
    guard let port = await server.port else { throw TestClient.Unexpected("the server did not start") }
    try await body(
        RunningServer(port: port, acceptor: acceptor, server: server, group: group, requests: requests, ended: { try await run.value })
    )
    server.sockets.closeAll(.goingAway)
    await group.triggerGracefulShutdown()
    try await run.value
    await server.sockets.allClosed()
}
