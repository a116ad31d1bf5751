/// What a `$connect` message carries: the client as the front sees it.
public struct ConnectRequest: Codable, Equatable, Sendable {
    /// The client's `User-Agent`.
    public var agent: String?
    /// The client's address, as the front sees it.
    public var ip: String?
    /// The client comes back (`?resume=true`) and subscribes by its own cursors: what `$connect`'s handler subscribes a new client to, it is only
    /// offered.
    public var resume: Bool?

    /// A request of its parts.
    public init(agent: String?, ip: String?, resume: Bool?) {
        self.agent = agent
        self.ip = ip
        self.resume = resume
    }
}
