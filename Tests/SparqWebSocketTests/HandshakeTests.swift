import Testing

@testable import SparqWebSocket

@Suite struct HandshakeTests {
    /// The example of RFC 6455, section 1.3.
    @Test func acceptsAsTheRFCDoes() {
        #expect(Handshake.accept(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test func makesValidKeysThatDiffer() {
        #expect(Handshake.isValid(key: Handshake.makeKey()))
        #expect(Handshake.makeKey() != Handshake.makeKey())
    }

    @Test(arguments: ["", "dGhlIHNhbXBsZQ==", "not base64 at all!!!!!!!", "dGhlIHNhbXBsZSBub25jZSE="])
    func refusesOtherKeys(_ key: String) {
        #expect(!Handshake.isValid(key: key))
    }
}
