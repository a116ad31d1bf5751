import Logging
import NIOCore
import Testing

@testable import SparqFront

@Suite struct ClientAddressTests {
    @Test func aProxysLastWordCounts() throws {
        let peer = try SocketAddress(ipAddress: "10.0.0.1", port: 1)
        func address(_ header: String?, _ values: [String]) -> String? {
            ClientAddresses(header: header, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
                .address(peer: peer) { $0 == "X-Forwarded-For" ? values : [] }?.description
        }
        let values = ["1.2.3.4", "5.6.7.8, 10.9.8.7"]
        #expect(address("X-Forwarded-For", values) == "10.9.8.7")
        #expect(address(nil, values) == "10.0.0.1" && address("X-Real-IP", values) == "10.0.0.1")
        #expect(address("X-Forwarded-For", ["nonsense"]) == "10.0.0.1" && address("X-Forwarded-For", []) == "10.0.0.1")
        let six = ClientAddress(try SocketAddress(ipAddress: "2001:db8:0:1f::7", port: 2))
        #expect(six?.description == "2001:db8:0:1f")
    }

    @Test(arguments: [
        ("10.9.8.7", "10.9.8.7"), ("10.9.8.7:4711", "10.9.8.7"), (" 10.9.8.7 ", "10.9.8.7"), ("2001:db8:0:1::7", "2001:db8:0:1"),
        ("[2001:db8:0:1::7]", "2001:db8:0:1"), ("[2001:db8:0:1::7]:443", "2001:db8:0:1"), ("::ffff:10.9.8.7", "10.9.8.7"),
        ("[::ffff:10.9.8.7]:1", "10.9.8.7"), ("10.9.8.7:", nil), ("10.9.8.7:x", nil), ("10.9.8.7:99999", nil), ("[2001:db8::1", nil),
        ("[2001:db8::1]443", nil), ("unknown", nil), ("_hidden:1", nil), ("", nil),
    ])
    func aPortBehindAnAddressIsNoPartOfIt(_ text: String, _ address: String?) {
        #expect(ClientAddress(named: text)?.description == address)
    }

    @Test func whatCannotBeReadIsToldOnce() throws {
        let lines = LogLines()
        let addresses = ClientAddresses(header: "X-Forwarded-For", logger: Logger(label: "test", factory: { _ in lines }))
        for value in ["10.0.0.1:80", "unknown", "also unknown"] { _ = addresses.address(peer: nil) { _ in [value] } }
        #expect(lines.taken.count == 1 && lines.taken[0].contains("value=unknown"))
    }
}
