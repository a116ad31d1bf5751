import FaultLog

/// What a connection needs to become a WebSocket; the same for all.
struct SocketEnvironment<Acceptor: SocketAcceptor>: Sendable {
    let acceptor: Acceptor
    let configuration: FrontServerConfiguration
    let registry: SocketRegistry
    /// WebSockets that could not be decided about.
    let undecided: FaultLog
}
