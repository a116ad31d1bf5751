/// From which pages browsers may connect (RFC 6454). Programs send no origin, and are not asked.
struct OriginPolicy: Sendable, Equatable {
    /// Besides the front's own.
    let allowed: AllowedOrigins
    /// Whether a proxy stands before the front whose `X-Forwarded-Proto` says with which scheme clients come. Without it that is `http`, because
    /// the front itself speaks no TLS.
    let trustsProxy: Bool

    /// Whether a page may talk to the front.
    func allows(_ request: RequestOrigin) -> Bool {
        guard let text = request.origin else { return true }
        if allowed.isAll { return true }
        guard let origin = Origin(text) else { return false }
        return allowed.origins.contains(origin) || origin == own(request)
    }

    /// Whether a request that a browser authenticates on its own may change something.
    func allowsChange(_ request: RequestOrigin) -> Bool {
        if request.origin != nil { return allows(request) }
        return request.site == nil || request.site == "same-origin" || request.site == "none"
    }

    /// The front's own origin, as the client sees it.
    func own(_ request: RequestOrigin) -> Origin? {
        guard let host = request.host else { return nil }
        // Of several the last one is the proxy's; those before it are the client's own words.
        let named =
            trustsProxy ? request.forwardedScheme?.split(separator: ",").last.map { $0.filter { !$0.isWhitespace }.lowercased() } : nil
        let scheme =
            switch named {
            case "https", "wss": "https"
            default: "http"
            }
        return Origin(scheme: scheme, authority: host)
    }
}
