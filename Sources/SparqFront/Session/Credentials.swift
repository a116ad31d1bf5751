import SparqProtocol

/// Where a request says who it comes from. The first that is there counts.
struct Credentials: Sendable, Equatable {
    enum Source: Sendable, Equatable {
        case bearer(String)
        case query(String)
        case cookie(String)
        /// The plain `username` cookie, for development.
        case devCookie(String)
        case none
    }

    static let cookieName = "sparq_session"

    let source: Source

    /// Of the headers' and the query's raw values. `query` is looked at for sockets alone.
    init(authorization: String?, query: Substring?, cookies: [String], devCookie: Bool) {
        if let authorization, authorization.prefix(7).lowercased() == "bearer " {
            source = .bearer(String(authorization.dropFirst(7)))
        } else if let token = query.flatMap({ Self.value("token", in: $0, separator: "&") }) {
            source = .query(token)
        } else if let token = Self.cookie(Self.cookieName, in: cookies), !token.isEmpty {
            source = .cookie(token)
        } else if devCookie, let name = Self.cookie("username", in: cookies), Topic.isUser(name) {
            source = .devCookie(name)
        } else {
            source = .none
        }
    }

    /// A browser sends these on its own, whatever page asks for it.
    var isAmbient: Bool {
        switch source {
        case .cookie, .devCookie, .none: true
        case .bearer, .query: false
        }
    }

    private static func cookie(_ name: String, in headers: [String]) -> String? {
        for header in headers {
            if let value = value(name, in: header[...], separator: ";") { return value }
        }
        return nil
    }

    private static func value(_ name: String, in text: Substring, separator: Character) -> String? {
        for part in text.split(separator: separator) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, sides[0].drop(while: { $0 == " " }) == name else { continue }
            var value = sides[1]
            while value.last == " " { value.removeLast() }
            if value.count >= 2, value.first == "\"", value.last == "\"" { value = value.dropFirst().dropLast() }
            return value.removingPercentEncoding()
        }
        return nil
    }
}

extension Substring {
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
