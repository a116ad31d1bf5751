internal import FoundationEssentials

/// Where to connect to, out of a URL.
struct Endpoint: Equatable, Sendable {
    let host: String
    let port: Int
    /// Path and query.
    private(set) var target: String

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

    /// The same place; with `resume=true` in the query, if the client brings its cursors.
    func resuming(_ resumes: Bool) -> Endpoint {
        guard resumes else { return self }
        var endpoint = self
        endpoint.target += (target.contains("?") ? "&" : "?") + "resume=true"
        return endpoint
    }

    /// For the `Host` field.
    var authority: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }
}
