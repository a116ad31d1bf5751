import Logging
import NIOCore
import Synchronization

/// Tells where clients come from: the peer's address, or behind a proxy the one that this names. Thread-safe.
final class ClientAddresses: Sendable {
    /// In which the proxy names it; `nil` where there is none.
    private let header: String?
    private let logger: Logger
    private let hasTold = Mutex(false)

    init(header: String?, logger: Logger) {
        self.header = header
        self.logger = logger
    }

    /// Where a client comes from; `nil` where that is no IP address.
    ///
    /// - Parameter values: Of a request's header. The last address of the last one counts, since those before it are the client's own words.
    func address(peer: SocketAddress?, _ values: (_ header: String) -> [String]) -> ClientAddress? {
        if let header, let last = values(header).last?.split(separator: ",").last {
            if let named = ClientAddress(named: last) { return named }
            tell(header, last)
        }
        return peer.flatMap { ClientAddress($0) }
    }

    /// Once: the proxy writes all of them alike.
    private func tell(_ header: String, _ value: Substring) {
        let isFirst = hasTold.withLock { hasTold in
            defer { hasTold = true }
            return !hasTold
        }
        guard isFirst else { return }
        logger.warning(
            "The proxy's header names no IP address: all clients that it names so count as one",
            metadata: ["header": "\(header)", "value": "\(String(value.prefix(100).filter { $0.isASCII && !$0.isNewline }))"]
        )
    }
}
