import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import SparqFront

@Suite struct FrontAcceptorTests {
    /// What a new connection says would only pile up.
    @Test func nobodyIsLetInWhileNothingLeavesOrComesBack() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let (readiness, forwarder) = (FrontReadiness(), FakeForwarder())
        let hub = try await Hub(on: group, settings: ConnectionSettings(node: "f-test"), forwarder: forwarder, inbox: NodeInbox())
        defer { hub.stop() }
        let acceptor = FrontAcceptor(
            tokens: await SessionTokens(secret: "0123456789abcdef0123456789abcdef", lifetime: 60),
            origins: OriginGate(OriginPolicy(allowed: .none, trustsProxy: false), logger: Logger(label: "test")),
            devCookie: true,
            cookie: SessionCookie(isSecure: true, lifetime: 60),
            hub: hub,
            readiness: readiness,
            addresses: ClientAddresses(header: nil, logger: Logger(label: "test")),
            forwarder: forwarder
        )
        func refusal() async throws -> Refusal? {
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/ws", headers: ["cookie": "username=alice"])
            switch try await acceptor.decide(head, from: nil, on: group.any()).get() {
            case .accept: return nil
            case .refuse(let refusal): return refusal
            }
        }
        #expect(try await refusal() == .unavailable)
        readiness.change { $0.isPublishing = true }
        #expect(try await refusal() == .unavailable)
        readiness.change { $0.isConsuming = true }
        #expect(try await refusal() == .unavailable)
        readiness.change { $0.leaseAnswered(now: 1) }
        #expect(try await refusal() == nil)
        readiness.change { $0.isConsuming = false }
        #expect(try await refusal() == .unavailable)
        readiness.change { $0.isConsuming = true }
        forwarder.setCongested(true)
        #expect(try await refusal() == .unavailable)
        forwarder.setCongested(false)
        #expect(try await refusal() == nil)
        readiness.change { $0.isDraining = true }
        #expect(try await refusal() == .unavailable)
    }
}
