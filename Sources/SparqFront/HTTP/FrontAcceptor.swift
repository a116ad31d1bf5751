import NIOCore
import NIOHTTP1
import SparqWire

/// Who may have a WebSocket: whoever brings a valid token, from a page that may connect.
struct FrontAcceptor: SocketAcceptor {
    struct Client: Sendable {
        var user: String
        var agent: String?
        /// The other end of its TCP connection.
        var peer: String?
        /// What tells clients apart: behind a proxy, the address that the proxy names.
        var address: ClientAddress?
        /// Comes back, and subscribes by its own cursors.
        var resumes = false
    }

    let tokens: SessionTokens
    let origins: OriginGate
    let devCookie: Bool
    let cookie: SessionCookie
    let hub: Hub
    let readiness: FrontReadiness
    let addresses: ClientAddresses
    let forwarder: any Forwarding

    func decide(
        _ head: HTTPRequestHead,
        from remoteAddress: SocketAddress?,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<SocketDecision<Client>> {
        // What a new connection says would only pile up while nothing leaves or comes back; those that are here already stay.
        guard readiness.current.isReady, !forwarder.isCrowded(SystemType.connect) else {
            return eventLoop.makeSucceededFuture(.refuse(.unavailable))
        }
        guard origins.allows(RequestOrigin(head.headers)) else {
            return eventLoop.makeSucceededFuture(.refuse(.originNotAllowed))
        }
        let query = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).dropFirst().first
        let credentials = Credentials(
            authorization: head.headers.first(name: "authorization"),
            query: query,
            cookies: head.headers["cookie"],
            devCookie: devCookie
        )
        let agent = head.headers.first(name: "user-agent").map { String($0.prefix(200)) }
        let peer = remoteAddress?.ipAddress
        let address = addresses.address(peer: remoteAddress) { head.headers[$0] }
        let resumes = query?.split(separator: "&").contains("resume=true") ?? false
        @Sendable func decision(_ identity: Identity) -> SocketDecision<Client> {
            let headers: HTTPHeaders = identity.hasStaleCookie ? ["Set-Cookie": cookie.cleared] : [:]
            switch identity.who {
            case .user(let user):
                return .accept(Client(user: user, agent: agent, peer: peer, address: address, resumes: resumes), headers: headers)
            case .nobody, .refused:
                var refusal = Refusal.unauthenticated
                refusal.headers.add(contentsOf: headers)
                return .refuse(refusal)
            }
        }
        return eventLoop.makeFutureWithTask { decision(await credentials.identity(tokens)) }
    }

    func makeSession(_ client: Client, socket: Socket) -> Connection {
        guard let shard = hub.shard(on: socket.eventLoop) else {
            preconditionFailure("The server and the hub run on the same event loops")
        }
        let connection = shard.makeConnection(user: client.user, address: client.address?.description, socket: socket)
        connection.opened(agent: client.agent, peer: client.peer, resumes: client.resumes)
        return connection
    }
}

extension Refusal {
    static let unauthenticated = Refusal.error(.unauthorized, code: .unauthenticated, message: "A valid session token is needed")
}
