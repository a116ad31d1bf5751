internal import CRabbitMQ
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Asks for the addresses of a host, and waits no longer than it is told: `getaddrinfo` itself knows no limit.
enum Resolver {
    typealias Answer = Result<[SocketAddress], AMQPError>

    private final class Question: Sendable {
        let answer = Mutex<Answer?>(nil)
        let isAnswered = DispatchSemaphore(value: 0)
    }

    /// In the system's order, one at least. Blocks up to `limit`; a question that takes longer is left behind on a thread of its own.
    /// - Parameter ask: asks the system, with flags of `getaddrinfo`.
    static func addresses(
        of host: AMQPHost,
        within limit: Duration,
        asking ask: @escaping @Sendable (AMQPHost, Int32) -> Answer = { Resolver.ask($0, flags: $1) }
    ) throws(AMQPError) -> [SocketAddress] {
        // An address asks nobody.
        if case .success(let addresses) = ask(host, AI_NUMERICHOST) { return addresses }
        let question = Question()
        try EngineThread.start {
            let answer = ask(host, 0)
            question.answer.withLock { $0 = answer }
            question.isAnswered.signal()
        }
        guard question.isAnswered.wait(timeout: .now() + .milliseconds(Int(limit.milliseconds))) == .success,
            let answer = question.answer.withLock({ $0 })
        else { throw failure(host, "no answer within \(limit)") }
        return try answer.get()
    }

    private static func ask(_ host: AMQPHost, flags: Int32) -> Answer {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_protocol = Int32(IPPROTO_TCP)
        var list: UnsafeMutablePointer<addrinfo>?
        errno = 0
        let status = getaddrinfo(host.name, "\(host.port)", &hints, &list)
        let number = errno
        guard status == 0 else {
            if SystemError.isLack(number) {
                return .failure(SystemError.error(number, otherwise: .connectFailed, "\(host.name)", operation: "resolving"))
            }
            return .failure(failure(host, String(cString: gai_strerror(status))))
        }
        defer { freeaddrinfo(list) }
        let addresses = sequence(first: list, next: { $0?.pointee.ai_next }).prefix { $0 != nil }.compactMap { $0 }
            .compactMap { SocketAddress($0.pointee) }
        return addresses.isEmpty ? .failure(failure(host, "no address")) : .success(addresses)
    }

    private static func failure(_ host: AMQPHost, _ problem: String) -> AMQPError {
        AMQPError(.connectFailed, "\(host.name): \(problem)", operation: "resolving")
    }
}
