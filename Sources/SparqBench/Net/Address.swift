import Glibc

/// Where a front listens.
public struct Address: Sendable, CustomStringConvertible {
    /// A numeric IPv4 address.
    public let host: String
    /// The port.
    public let port: UInt16

    /// Reads `host:port`, with `http://` before it or not; the host is `localhost` or a numeric IPv4 address.
    public init(_ text: String) throws {
        var rest = text[...]
        if let scheme = rest.range(of: "://") { rest = rest[scheme.upperBound...] }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let colon = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: colon)...]) else {
            throw BenchError("\"\(text)\" is not host:port")
        }
        let host = rest[..<colon] == "localhost" ? "127.0.0.1" : String(rest[..<colon])
        self.init(host: host, port: port)
        var probe = in_addr()
        guard inet_pton(AF_INET, host, &probe) == 1 else { throw BenchError("\"\(host)\" is no numeric IPv4 address") }
    }

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// `host:port`
    public var description: String { "\(host):\(port)" }

    /// Calls `body` with the address as the system takes it.
    func withSystemAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
        }
    }

    /// A connected socket; `nonblocking`: one that is connecting.
    func connect(nonblocking: Bool, source: String? = nil) throws -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | (nonblocking ? Int32(SOCK_NONBLOCK.rawValue) : 0)
        let fd = socket(AF_INET, type, 0)
        guard fd >= 0 else { throw BenchError("socket: errno \(errno)\(errno == EMFILE ? " (raise ulimit -n)" : "")") }
        var one: Int32 = 1
        setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        if let source {
            _ = Address(host: source, port: 0).withSystemAddress { bind(fd, $0, $1) }
        }
        let status = withSystemAddress { Glibc.connect(fd, $0, $1) }
        guard status == 0 || errno == EINPROGRESS else {
            let reason = errno
            close(fd)
            throw BenchError("cannot connect to \(self): errno \(reason)")
        }
        return fd
    }
}

extension Substring {
    fileprivate func range(of text: String) -> Range<Substring.Index>? { firstRange(of: text) }
}
