import HTTPTypes
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

    /// The peer's address; behind a proxy the last one that the proxy's header names, since those before it are the client's own words.
    init?(of fields: HTTPFields, peer: SocketAddress?, header: HTTPField.Name?) {
        self.init(named: header.flatMap { fields[values: $0].last }, peer: peer)
    }

    /// The same, of the header's last value.
    init?(named: String?, peer: SocketAddress?) {
        if let last = named?.split(separator: ",").last,
            let named = try? SocketAddress(ipAddress: String(last.filter { !$0.isWhitespace }), port: 0)
        {
            self.init(named)
        } else if let peer {
            self.init(peer)
        } else {
            return nil
        }
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
