/// From which pages browsers may connect (RFC 6454). Programs send no origin, and are not asked.
struct OriginPolicy: Sendable, Equatable {
    /// Origins like `https://chat.example`, besides the front's own; `*` allows all.
    let allowed: [String]

    /// Whether a page of `origin` may talk to the front that it calls `host`.
    func allows(origin: String?, host: String?) -> Bool {
        guard let origin else { return true }
        if allowed.contains("*") || allowed.contains(where: { $0.lowercased() == origin.lowercased() }) { return true }
        guard let host, let scheme = origin.firstRange(of: "://") else { return false }
        return origin[scheme.upperBound...].lowercased() == host.lowercased()
    }

    /// Whether a request that a browser authenticates on its own may change something. `site` is `Sec-Fetch-Site`.
    func allowsChange(origin: String?, host: String?, site: String?) -> Bool {
        if let origin { return allows(origin: origin, host: host) }
        return site == nil || site == "same-origin" || site == "none"
    }
}
