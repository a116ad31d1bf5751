/// Where a page comes from: scheme, host and port (RFC 6454). Two origins are the same where all three are; a default port counts as named.
struct Origin: Hashable, Sendable, CustomStringConvertible {
    /// In small letters, as the host.
    let scheme: String
    let host: String
    /// `nil` where none is named, and the scheme has none by itself.
    let port: Int?

    /// As browsers write it: `https://chat.example`, `http://localhost:3000`. `nil` for all else, such as `null` and whatever has a path.
    init?(_ text: some StringProtocol) {
        guard let mark = text.firstRange(of: "://") else { return nil }
        self.init(scheme: text[..<mark.lowerBound], authority: text[mark.upperBound...])
    }

    /// - Parameter authority: host and port, as the header `Host` has them.
    init?(scheme: some StringProtocol, authority: some StringProtocol) {
        let scheme = scheme.lowercased()
        guard scheme.first?.isLetter ?? false, scheme.utf8.allSatisfy({ Self.isLetterOrDigit($0) || "+-.".utf8.contains($0) }) else {
            return nil
        }
        let authority = authority.lowercased()
        // An IPv6 address has colons of its own, in brackets.
        let isBracketed = authority.hasPrefix("[")
        let end = isBracketed ? authority.firstIndex(of: "]").map { authority.index(after: $0) } : authority.firstIndex(of: ":")
        guard !isBracketed || end != nil else { return nil }
        let host = authority[..<(end ?? authority.endIndex)]
        let rest = authority[host.endIndex...]
        let others = isBracketed ? ":[]." : "-._~"
        guard !host.isEmpty, host.utf8.allSatisfy({ Self.isLetterOrDigit($0) || others.utf8.contains($0) }) else { return nil }
        if rest.isEmpty {
            port = Self.defaultPorts[scheme]
        } else {
            let digits = rest.dropFirst()
            guard rest.first == ":", (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = UInt16(digits)
            else { return nil }
            port = Int(number)
        }
        self.scheme = scheme
        self.host = String(host)
    }

    var description: String {
        let port = port == Self.defaultPorts[scheme] ? "" : port.map { ":\($0)" } ?? ""
        return "\(scheme)://\(host)\(port)"
    }

    private static let defaultPorts = ["http": 80, "https": 443]

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
