import NIOCore

/// Where a request comes from, as far as it tells people apart: of an IPv6 address the first 64 bits, since whoever has one has them all.
struct ClientAddress: Hashable, Sendable {
    private let bytes: [UInt8]

    /// `nil` where it is no IP address.
    init?(_ address: SocketAddress) {
        let raw = address.withSockAddr { Array(UnsafeRawBufferPointer(start: $0, count: $1)) }
        switch address {
        // Behind family and port (ip(7)); of IPv6 behind the flow's label too (ipv6(7)).
        case .v4: bytes = Array(raw[4..<8])
        case .v6:
            let all = Array(raw[8..<24])
            // An IPv4 address in IPv6's clothes (RFC 4291, section 2.5.5.2).
            let isMapped = all[..<10].allSatisfy { $0 == 0 } && all[10...11].allSatisfy { $0 == 0xFF }
            bytes = Array(isMapped ? all[12...] : all[..<8])
        case .unixDomainSocket: return nil
        }
    }

    /// As a proxy writes it: an address, perhaps with a port behind it, `10.0.0.1:4711` or `[2001:db8::1]:4711`. `nil` where it is none.
    init?(named text: some StringProtocol) {
        var host = String(text).filter { !$0.isWhitespace }
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]"), Self.isPort(host[host.index(after: end)...]) else { return nil }
            host = String(host[host.index(after: host.startIndex)..<end])
        } else if let colon = host.firstIndex(of: ":"), colon == host.lastIndex(of: ":") {
            guard Self.isPort(host[colon...]) else { return nil }
            host = String(host[..<colon])
        }
        guard let address = try? SocketAddress(ipAddress: host, port: 0) else { return nil }
        self.init(address)
    }

    /// Whether a text is a colon and a port, or nothing.
    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || text.first == ":" && UInt16(text.dropFirst()) != nil
    }
}

extension ClientAddress: CustomStringConvertible {
    /// As workers get it: `10.0.0.1`, or the first half of an IPv6 address, `2001:db8:0:1`.
    var description: String {
        if bytes.count == 4 { return bytes.map { String($0) }.joined(separator: ".") }
        return stride(from: 0, to: bytes.count, by: 2).map { String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16) }.joined(
            separator: ":"
        )
    }
}
