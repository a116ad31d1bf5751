import CPostgreSQL
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where a pool's server may be, in the order in which to try. It remembers who said nothing: for a while they come last.
final class Addresses: Sendable {
    /// So long whoever was silent comes last.
    private static let memory: Duration = .seconds(30)

    private let conninfo: ConnectionInfo
    private let silent = Mutex<[ServerAddress: ContinuousClock.Instant]>([:])

    init(_ conninfo: ConnectionInfo) { self.conninfo = conninfo }

    /// This one let the time for connecting pass.
    func wasSilent(_ address: ServerAddress) { silent.withLock { $0[address] = .now } }

    /// All of them. Names are looked up anew, on the calling thread, as libpq does.
    func all() -> [ServerAddress] {
        let silent = silent.withLock { silent in
            silent = silent.filter { $0.value + Self.memory > .now }
            return silent
        }
        let all = conninfo.addresses(resolve: Self.resolve)
        // libpq would look an unknown name up once more, and wait for that.
        let known = all.filter { !$0.isUnknownName }
        let addresses = known.isEmpty ? all : known
        return addresses.filter { silent[$0] == nil } + addresses.filter { silent[$0] != nil }
    }

    private static func resolve(_ name: String) -> [String] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &first) == 0 else { return [] }
        defer { freeaddrinfo(first) }
        var found: [String] = []
        var next = first
        while let entry = next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let length = socklen_t(text.count)
            if getnameinfo(entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, length, nil, 0, NI_NUMERICHOST) == 0 {
                let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
                let number = String(decoding: bytes, as: UTF8.self)
                if !found.contains(number) { found.append(number) }
            }
            next = entry.pointee.ai_next
        }
        return found
    }
}
