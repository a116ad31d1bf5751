import NIOHTTP1
import WebSocket

/// What a request's head says about a WebSocket (RFC 6455, section 4.2.1). Pure.
enum UpgradeRequest: Equatable {
    /// An ordinary request, for the routes.
    case none
    /// A proper handshake with this `Sec-WebSocket-Key`.
    case socket(key: String)
    case refused(Refusal)

    init(_ head: HTTPRequestHead, socketPath: String) {
        let path = head.uri.prefix { $0 != "?" }
        let wantsUpgrade = head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
        guard path == socketPath else {
            // The HTTP parser takes nothing but raw bytes after such a request, so no route can answer it.
            self = wantsUpgrade && head.headers.contains(name: "upgrade") ? .refused(.notFound) : .none
            return
        }
        guard
            wantsUpgrade, head.headers[canonicalForm: "upgrade"].contains(where: { $0.lowercased() == "websocket" }),
            head.headers[canonicalForm: "sec-websocket-version"] == [Substring(Handshake.version)]
        else {
            self = .refused(.wrongVersion)
            return
        }
        let keys = head.headers["sec-websocket-key"]
        guard
            head.method == .GET, head.version == .http1_1, keys.count == 1, Handshake.isValid(key: keys[0]),
            !head.headers.contains(name: "content-length"), !head.headers.contains(name: "transfer-encoding")
        else {
            self = .refused(.badHandshake)
            return
        }
        self = .socket(key: keys[0])
    }
}
