import Dispatch
import Glibc
import Testing

@testable import SparqAMQP

@Suite(.timeLimit(.minutes(1))) struct DialTests {
    /// A listener on the loopback address that accepts nothing; with its backlog full, it answers nothing either.
    private final class Listener {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        private var callers: [Int32] = []
        private(set) var port: UInt16 = 0

        init(isSilent: Bool) throws {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isListening = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, length) == 0 && listen(socket, isSilent ? 0 : 16) == 0 && getsockname(socket, $0, &length) == 0
                }
            }
            try #require(isListening)
            port = UInt16(bigEndian: address.sin_port)
            guard isSilent else { return }
            for _ in 0..<4 {
                callers.append(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0))
                _ = withUnsafePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(callers[callers.count - 1], $0, length) }
                }
            }
        }

        func addresses() throws -> [SocketAddress] { try Resolver.addresses(of: AMQPHost("127.0.0.1", port: port), within: .seconds(1)) }

        deinit { for descriptor in callers + [socket] { close(descriptor) } }
    }

    @Test func aSilentAddressDoesNotHoldUpTheNext() throws {
        let (silent, good) = (try Listener(isSilent: true), try Listener(isSilent: false))
        let begin = ContinuousClock.now
        let descriptor = try Dial.connect(try silent.addresses() + good.addresses(), limit: .milliseconds(300))
        close(descriptor)
        let elapsed = ContinuousClock.now - begin
        #expect(elapsed >= .milliseconds(300) && elapsed < .seconds(5))
    }

    @Test func everyAddressSaysWhatWasWrongWithIt() throws {
        let silent = try Listener(isSilent: true)
        var closed: Listener? = try Listener(isSilent: false)
        let port = closed?.port ?? 0
        let addresses = try silent.addresses() + (closed?.addresses() ?? [])
        closed = nil
        let error = #expect(throws: AMQPError.self) { try Dial.connect(addresses, limit: .milliseconds(200)) }
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("127.0.0.1:\(silent.port): no answer") == true)
        #expect(error?.message.contains("127.0.0.1:\(port): Connection refused (errno 111)") == true, "\(error?.message ?? "")")
    }

    @Test func aNameIsAskedForNoLongerThanTheLimit() throws {
        let isOver = DispatchSemaphore(value: 0)
        defer { isOver.signal() }
        let begin = ContinuousClock.now
        let error = #expect(throws: AMQPError.self) {
            try Resolver.addresses(of: AMQPHost("slow.example"), within: .milliseconds(300)) { host, flags in
                if flags != AI_NUMERICHOST { isOver.wait() }
                return .failure(AMQPError(.connectFailed, "\(host.name): unknown", operation: "resolving"))
            }
        }
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("slow.example: no answer within") == true, "\(error?.message ?? "")")
        let elapsed = ContinuousClock.now - begin
        #expect(elapsed >= .milliseconds(300) && elapsed < .seconds(5))
    }

    @Test func anAddressAsksNobodyAndAnUnknownNameIsToldByItsName() throws {
        #expect(try Resolver.addresses(of: AMQPHost("::1", port: 7), within: .seconds(1)).map(\.description) == ["[::1]:7"])
        let error = #expect(throws: AMQPError.self) { try Resolver.addresses(of: AMQPHost("no-such-host.invalid"), within: .seconds(10)) }
        #expect(error?.code == .connectFailed && error?.message.contains("no-such-host.invalid") == true)
    }
}
