import Foundation
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import SparqClient
import Testing

/// Clients that speak TLS to a proxy in front of a front.
@Suite(.timeLimit(.minutes(2))) struct TLSTests {
    private func client(_ url: String, token: String? = nil, trusting authority: TestAuthority?) throws -> SparqClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let authority { tls.trustRoots = .file(authority.certificate) }
        var configuration = ClientConfiguration(urls: [url], token: token)
        configuration.tls = try ClientTLS(tls)
        configuration.backoffBaseMilliseconds = 1
        configuration.backoffCapMilliseconds = 1
        return try SparqClient(configuration: configuration, logger: Logger(label: "tls", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    @Test func messagesAndEventsGoThroughTLSAndComeBackAfterABreak() async throws {
        try await Stack.with(fronts: 1, workers: 1) { stack, fronts in
            let authority = try await TestAuthority(in: stack.folder.appendingPathComponent("tls"))
            let proxy = try await Forwarder(toHost: "127.0.0.1", port: fronts[0].port, tls: try await authority.server(for: "localhost"))
            try await proxy.open()
            let token = try await Person.register("ann", at: fronts[0])
            let client = try client("wss://localhost:\(proxy.port)/ws", token: token, trusting: authority)
            let running = Task { try await client.run() }
            _ = try await client.subscribe(["everyone": nil])
            _ = try await client.send("sendMessage", ["text": "over TLS"])
            await proxy.turn(to: fronts[0].port)
            _ = try await client.send("sendMessage", ["text": "again"])
            var heard: [Int] = []
            for await case .event(let event) in client.events where event.topic == "everyone" {
                heard.append(event.seq ?? 0)
                if heard.count == 2 { break }
            }
            #expect(heard == [1, 2])
            #expect(await client.counters.connections == 2 && proxy.connections == 2)
            await client.close()
            try await running.value
            await proxy.close()
        }
    }

    /// Nobody listens behind the proxy: it does not come to that.
    @Test(arguments: ["another name", "an unknown authority"]) func aCertificateThatIsNotTrustedIsNotTriedAgain(flaw: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(TestEnvironment.random("sparq-tls-"))
        defer { try? FileManager.default.removeItem(at: folder) }
        let authority = try await TestAuthority(in: folder)
        let isOther = flaw == "another name"
        let server = try await authority.server(for: isOther ? "other.example" : "localhost")
        let target = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        let proxy = try await Forwarder(toHost: "127.0.0.1", port: target.localAddress?.port ?? 0, tls: server)
        try await proxy.open()
        let client = try client("wss://localhost:\(proxy.port)/ws", trusting: isOther ? authority : nil)
        let sending = Task { try await client.send("sendMessage", ["text": "x"]) }
        do {
            try await client.run()
            Issue.record("run() returned")
        } catch {
            #expect(error.code == .untrusted, "\(error)")
        }
        await #expect(throws: ClientError.self) { try await sending.value }
        #expect(proxy.connections == 1)
        #expect(await client.state == .finished)
        await proxy.close()
        try await target.close()
    }

    @Test func aConfigurationThatCannotBeUsedIsSaidAtOnce() {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file("/no/such/file.pem")
        #expect { try ClientTLS(tls) } throws: { ($0 as? ClientError)?.code == .invalidTLS }
    }
}
