import Foundation
import NIOSSL

/// A certificate authority for one test, by openssl. Everything that it makes is in one folder.
struct TestAuthority {
    private let folder: URL
    /// The authority's own certificate, as PEM.
    var certificate: String { folder.appendingPathComponent("ca.pem").path }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    init(in folder: URL) async throws {
        self.folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let arguments =
            ["req", "-x509"] + Self.newKey + ["-keyout", path("ca.key"), "-out", certificate, "-subj", "/CN=a test", "-days", "2"]
        _ = try await Command.run("openssl", arguments)
    }

    private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// What a server with a certificate for a DNS name needs.
    func server(for name: String) async throws -> NIOSSLContext {
        let (key, request, extensions, own) = (path("\(name).key"), path("\(name).req"), path("\(name).ext"), path("\(name).pem"))
        try "subjectAltName=DNS:\(name)\nbasicConstraints=CA:FALSE\n".write(toFile: extensions, atomically: true, encoding: .utf8)
        _ = try await Command.run("openssl", ["req"] + Self.newKey + ["-keyout", key, "-out", request, "-subj", "/CN=\(name)"])
        let signing = ["-CA", certificate, "-CAkey", path("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", own]
        _ = try await Command.run("openssl", ["x509", "-req", "-in", request] + signing)
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(own).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
        )
        return try NIOSSLContext(configuration: configuration)
    }
}
