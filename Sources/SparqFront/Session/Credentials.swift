import SparqWire

/// Where a request says who it comes from.
struct Credentials: Sendable, Equatable {
    static let cookieName = "sparq_session"
    /// Session cookies that are looked at: each costs as much as a request. A browser has one for each domain and path that set one.
    static let cookieLimit = 4

    /// A token that the client itself put into the request, by header or query: it must be valid.
    let token: String?
    /// The first session cookies, in order. A browser sends them on its own, and its page cannot remove them: a bad one counts as none.
    let cookies: [String]
    /// Whom the plain `username` cookie names, for development.
    let devUser: String?

    /// Of the headers' and the query's raw values. `query` is looked at for sockets alone.
    init(authorization: String?, query: Substring?, cookies: [String], devCookie: Bool) {
        let words = authorization?.split(separator: " ", maxSplits: 1)
        token =
            if let words, words.first?.lowercased() == "bearer" {
                words.count == 2 ? String(words[1].trimmed) : ""
            } else {
                query.flatMap { Self.values("token", in: $0, separator: "&").first }
            }
        self.cookies = Array(cookies.lazy.flatMap { Self.values(Self.cookieName, in: $0[...], separator: ";") }.prefix(Self.cookieLimit))
        let name = devCookie ? cookies.lazy.flatMap { Self.values("username", in: $0[...], separator: ";") }.first : nil
        devUser = name.flatMap { Topic.isUser($0) ? $0 : nil }
    }

    /// A browser sends these on its own, whatever page asks for it.
    var isAmbient: Bool { token == nil }

    /// What stands behind each `name=`.
    private static func values(_ name: String, in text: Substring, separator: Character) -> [String] {
        text.split(separator: separator).compactMap { part in
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, sides[0].trimmed == name else { return nil }
            var value = sides[1].trimmed
            if value.count >= 2, value.first == "\"", value.last == "\"" { value = value.dropFirst().dropLast() }
            return value.removingPercentEncoding()
        }
    }
}

extension Substring {
    /// Without the blanks and tabs around it (RFC 9110, section 5.6.3).
    fileprivate var trimmed: Substring {
        var rest = drop { $0 == " " || $0 == "\t" }
        while rest.last == " " || rest.last == "\t" { rest.removeLast() }
        return rest
    }

    /// Decoded (RFC 3986, section 2.1); as it is where the coding is broken.
    fileprivate func removingPercentEncoding() -> String {
        guard utf8.contains(UInt8(ascii: "%")) else { return String(self) }
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap({ Character(UnicodeScalar($0)).hexDigitValue }),
                let low = rest.popFirst().flatMap({ Character(UnicodeScalar($0)).hexDigitValue })
            else { return String(self) }
            bytes.append(UInt8(high << 4 | low))
        }
        return String(validating: bytes, as: UTF8.self) ?? String(self)
    }
}
