/// How an `amqps://` connection is secured. TLS 1.2 is the least that is accepted.
public struct TLSSettings: Sendable, Hashable {
    /// PEM file with the certificates of the authorities to trust; the system's bundle when nil.
    public var caFile: String?
    /// PEM file with the client's certificate chain. Needs ``keyFile``.
    public var certificateFile: String?
    /// PEM file with the client's private key. Needs ``certificateFile``.
    public var keyFile: String?
    /// Whether the broker's certificate must come from a trusted authority.
    public var verifyPeer: Bool
    /// Whether the broker's certificate must be for the host that was connected to.
    public var verifyHostname: Bool

    /// Checks everything, against the system's authorities, unless told otherwise.
    public init(
        caFile: String? = nil,
        certificateFile: String? = nil,
        keyFile: String? = nil,
        verifyPeer: Bool = true,
        verifyHostname: Bool = true
    ) {
        self.caFile = caFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.verifyPeer = verifyPeer
        self.verifyHostname = verifyHostname
    }
}
