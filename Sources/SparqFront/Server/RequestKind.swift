import NIOHTTP1
import SparqWebSocket

/// What a request's head asks for (RFC 6455, section 4.2.1, and RFC 9110, section 7.8). Pure.
enum RequestKind: Equatable {
    /// An ordinary request, for the routes.
    case plain
    /// An ordinary request that asks for an upgrade which is not ours, and is ignored. The HTTP parser stops behind it.
    case ignoredUpgrade
    /// An ordinary request of which nobody can tell whether the parser stops behind it: the connection's last.
    case last
    /// A proper handshake with this `Sec-WebSocket-Key`.
    case socket(key: String)
    case refused(Refusal)

    init(_ head: HTTPRequestHead, socketPath: String) {
        guard head.method != .CONNECT else {
            self = .refused(.noTunnels)
            return
        }
        let path = Self.path(of: head.uri)
        guard !Self.hasControlCharacters(path) else {
            self = .refused(.badPath)
            return
        }
        guard head.headers[canonicalForm: "expect"].allSatisfy({ $0.lowercased() == "100-continue" }) else {
            self = .refused(.expectationFailed)
            return
        }
        if path == socketPath {
            self = Self.atSocketPath(head)
        } else {
            self = Self.elsewhere(head.headers)
        }
    }

    private static func elsewhere(_ headers: HTTPHeaders) -> RequestKind {
        guard headers.contains(name: "upgrade") else { return .plain }
        if headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "upgrade" }) { return .ignoredUpgrade }
        // Whatever the parser could take for the same; it takes the old name of the field too.
        return (headers["connection"] + headers["proxy-connection"]).contains { $0.lowercased().contains("upgrade") } ? .last : .plain
    }

    private static func atSocketPath(_ head: HTTPRequestHead) -> RequestKind {
        guard head.method == .GET || head.method == .HEAD else { return .refused(.onlyGET) }
        guard
            head.headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "upgrade" }),
            head.headers[canonicalForm: "upgrade"].contains(where: { $0.lowercased() == "websocket" }),
            head.headers[canonicalForm: "sec-websocket-version"] == [Substring(Handshake.version)]
        else { return .refused(.wrongVersion) }
        let keys = head.headers["sec-websocket-key"]
        guard
            head.method == .GET, head.version == .http1_1, keys.count == 1, Handshake.isValid(key: keys[0]),
            // A body of no bytes is none.
            head.headers[canonicalForm: "content-length"].allSatisfy({ $0 == "0" }), !head.headers.contains(name: "transfer-encoding")
        else { return .refused(.badHandshake) }
        return .socket(key: keys[0])
    }

    /// The target without query; of its absolute form (RFC 9112, section 3.2.2) without scheme and host too.
    private static func path(of uri: String) -> Substring {
        let target = uri.prefix { $0 != "?" }
        for scheme in ["http://", "https://"] where target.lowercased().hasPrefix(scheme) {
            return target.dropFirst(scheme.count).drop { $0 != "/" }
        }
        return target
    }

    /// Whether a control character stands in the path, escaped or not: C0, DEL, and C1 in UTF-8. Files end at a NUL, and logs break at others.
    private static func hasControlCharacters(_ path: Substring) -> Bool {
        var before: UInt8 = 0
        var rest = path.utf8[...]
        while let byte = rest.popFirst() {
            var byte = byte
            if byte == UInt8(ascii: "%"), let high = rest.first?.hexDigit, let low = rest.dropFirst().first?.hexDigit {
                byte = high << 4 | low
                rest = rest.dropFirst(2)
            }
            if byte < 0x20 || byte == 0x7F || before == 0xC2 && (0x80...0x9F).contains(byte) { return true }
            before = byte
        }
        return false
    }
}

extension UInt8 {
    /// What it stands for as a digit of a hexadecimal number.
    fileprivate var hexDigit: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
