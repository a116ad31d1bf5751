/// The origins of pages that may connect, besides the front's own.
public struct AllowedOrigins: Sendable, Equatable {
    /// Why a text is no list of origins: a sentence that says what to write.
    public struct Malformed: Error, Equatable, CustomStringConvertible {
        /// The sentence.
        public let description: String
    }

    let origins: Set<Origin>
    let isAll: Bool

    /// No others.
    public static let none = AllowedOrigins(origins: [], isAll: false)

    /// Reads origins, separated by commas, such as `https://chat.example,http://localhost:3000`; `*` stands for all.
    ///
    /// Scheme, host and port count (RFC 6454), in large or small letters, a default port named or not.
    public init(_ text: String) throws(Malformed) {
        var origins: Set<Origin> = []
        var isAll = false
        for entry in text.split(separator: ",") {
            var entry = entry.drop(while: \.isWhitespace)
            while entry.last?.isWhitespace ?? false { entry.removeLast() }
            if entry == "*" {
                isAll = true
            } else if let origin = Origin(entry), !["ws", "wss"].contains(origin.scheme) {
                origins.insert(origin)
            } else if !entry.isEmpty {
                throw Malformed(description: "\"\(entry)\" \(Self.problem(entry))")
            }
        }
        self.init(origins: origins, isAll: isAll)
    }

    private init(origins: Set<Origin>, isAll: Bool) {
        self.origins = origins
        self.isAll = isAll
    }

    private static func problem(_ entry: Substring) -> String {
        if entry.contains(where: \.isWhitespace) { return "has a space in it: put commas between origins" }
        if entry.contains("*") { return "is a pattern: name each origin, such as https://chat.example, or write * alone for all" }
        if entry.lowercased() == "null" { return "is what all pages without an origin send: serve the page from an address of its own" }
        guard entry.allSatisfy(\.isASCII) else { return "is not written as browsers send it: write the host's ASCII form, xn--…" }
        guard let mark = entry.firstRange(of: "://") else {
            let host = entry.prefix { !"/?#".contains($0) }
            return "has no scheme: write https://\(host), or http://\(host)"
        }
        // Without user, path, query, and fragment.
        let authority = entry[mark.upperBound...].prefix { !"/?#".contains($0) }
        let host = authority.split(separator: "@").last ?? ""
        guard let origin = Origin(scheme: entry[..<mark.lowerBound], authority: host) else {
            return "is no origin: write scheme, host and port, such as https://chat.example or http://localhost:3000"
        }
        switch origin.scheme {
        case "ws": return "is a socket's address: write the origin of the page, such as http://\(host)"
        case "wss": return "is a socket's address: write the origin of the page, such as https://\(host)"
        default: return "is more than an origin: write \(origin)"
        }
    }
}
