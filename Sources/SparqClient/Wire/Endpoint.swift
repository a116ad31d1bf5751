internal import FoundationEssentials
internal import NIOCore

/// Where to connect to, out of a URL.
struct Endpoint: Equatable, Sendable {
    let host: String
    let port: Int
    /// Whether TLS comes first.
    let isSecure: Bool
    /// Path and query.
    private(set) var target: String

    init(_ text: String) throws(ClientError) {
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), scheme == "ws" || scheme == "wss",
            let host = url.host(percentEncoded: false), !host.isEmpty
        else { throw ClientError(.invalidURL, "\"\(text)\" is no ws or wss URL.") }
        self.host = host
        isSecure = scheme == "wss"
        port = url.port ?? (isSecure ? 443 : 80)
        let path = url.path(percentEncoded: true)
        target = (path.isEmpty ? "/" : path) + (url.query(percentEncoded: true).map { "?" + $0 } ?? "")
    }

    /// The same place; with `resume=true` in the query, if the client brings its cursors.
    func resuming(_ resumes: Bool) -> Endpoint {
        guard resumes else { return self }
        var endpoint = self
        endpoint.target += (target.contains("?") ? "&" : "?") + "resume=true"
        return endpoint
    }

    /// For the `Host` field.
    var authority: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }

    /// The name to ask for in the TLS handshake (RFC 6066, section 3); `nil` for a numeric address, which no server is asked for.
    var serverName: String? { (try? SocketAddress(ipAddress: host, port: port)) == nil ? host : nil }
}
