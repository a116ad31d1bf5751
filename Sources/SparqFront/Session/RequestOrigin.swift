import HTTPTypes
import Hummingbird
import NIOHTTP1

/// What a request's head says about the page that it comes from, and about the front that the page means.
struct RequestOrigin: Sendable, Equatable {
    /// `Origin`: the page's.
    var origin: String?
    /// `Host`: the front's, as the client calls it.
    var host: String?
    /// `X-Forwarded-Proto`: with which scheme the client came to a proxy.
    var forwardedScheme: String?
    /// `Sec-Fetch-Site`: what the browser says of page and front.
    var site: String?

    init(origin: String?, host: String?, forwardedScheme: String? = nil, site: String? = nil) {
        self.origin = origin
        self.host = host
        self.forwardedScheme = forwardedScheme
        self.site = site
    }

    init(_ headers: HTTPHeaders) {
        self.init(
            origin: headers.first(name: "origin"),
            host: headers.first(name: "host"),
            forwardedScheme: headers["x-forwarded-proto"].last,
            site: headers.first(name: "sec-fetch-site")
        )
    }

    init(_ request: Request) {
        self.init(
            origin: request.headers[.origin],
            host: request.head.authority,
            forwardedScheme: HTTPField.Name("X-Forwarded-Proto").flatMap { request.headers[values: $0].last },
            site: HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] }
        )
    }
}
