public import NIOSSL

/// How clients check a server's certificate, and show one of their own. It holds what was read from files, so many clients can share one.
public struct ClientTLS: Sendable {
    let context: NIOSSLContext

    /// Reads the certificates and keys of a configuration. This blocks for as long as that takes.
    ///
    /// With `TLSConfiguration.makeClientConfiguration()` a server is trusted if its certificate comes from an authority of the system
    /// and is for the host in the URL. For an authority of your own set `trustRoots`.
    ///
    /// - Throws: ``ClientError/Code/invalidTLS``.
    public init(_ configuration: TLSConfiguration = .makeClientConfiguration()) throws(ClientError) {
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw ClientError(.invalidTLS, "The TLS configuration cannot be used: \(error)")
        }
    }

    /// Trusts the system's authorities. It is made once in a process.
    /// - Throws: ``ClientError/Code/invalidTLS``.
    public static func system() throws(ClientError) -> ClientTLS { try shared.get() }

    private static let shared: Result<ClientTLS, ClientError> = Result { () throws(ClientError) in try ClientTLS() }
}
