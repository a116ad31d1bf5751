internal import FoundationEssentials

/// Where to connect to, out of a URL.
struct Endpoint: Equatable, Sendable {
    let host: String
    let port: Int
    /// Path and query.
    let target: String

    /// - Parameter scheme: the only one that is accepted.
    init(_ text: String, scheme: String) throws(ClientError) {
        guard let url = URL(string: text), url.scheme == scheme, let host = url.host(percentEncoded: false), !host.isEmpty else {
            throw ClientError(.invalidURL, "\"\(text)\" is no \(scheme) URL.")
        }
        self.host = host
        port = url.port ?? 80
        let path = url.path(percentEncoded: true)
        target = (path.isEmpty ? "/" : path) + (url.query(percentEncoded: true).map { "?" + $0 } ?? "")
    }

    /// For the `Host` field.
    var authority: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }
}
