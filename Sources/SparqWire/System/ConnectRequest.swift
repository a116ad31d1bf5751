/// What a `$connect` message carries: the client as the front sees it.
package struct ConnectRequest: SystemMessage, Equatable {
    package static var type: String { SystemType.connect }

    /// The client's `User-Agent`.
    package var agent: String?
    /// The client's address, as the front sees it.
    package var ip: String?
    /// The client comes back (`?resume=true`) and subscribes by its own cursors: what `$connect`'s handler subscribes a new client to, it is only
    /// offered.
    package var resume: Bool?

    /// A request of its parts.
    package init(agent: String?, ip: String?, resume: Bool?) {
        self.agent = agent
        self.ip = ip
        self.resume = resume
    }
}

extension ConnectRequest {
    package func encodeMembers(into writer: inout JSONWriter) {
        if let agent {
            writer.raw(",\"agent\":")
            writer.string(agent)
        }
        if let ip {
            writer.raw(",\"ip\":")
            writer.string(ip)
        }
        if resume == true { writer.raw(",\"resume\":true") }
    }
}

/// What a `$disconnect` message carries: nothing.
package struct DisconnectRequest: SystemMessage, Equatable {
    package static var type: String { SystemType.disconnect }

    package init() {}

    package func encodeMembers(into writer: inout JSONWriter) {}
}
