import NIOCore
import Testing

@testable import SparqWebSocket

/// Every way to break RFC 6455, with the code that it gets, fed whole and byte by byte.
@Suite struct ViolationTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let code: CloseCode
        let bytes: [UInt8]

        init(_ name: String, _ code: CloseCode, _ frames: RawFrame...) {
            self.testDescription = name
            self.code = code
            self.bytes = frames.flatMap { $0.bytes }
        }
    }

    static let cases: [Case] = [
        Case("RSV1", .protocolError, RawFrame(first: 0xC1)),
        Case("RSV2", .protocolError, RawFrame(first: 0xA1)),
        Case("RSV3 on a control frame", .protocolError, RawFrame(first: 0x99)),
        Case("opcode 3", .protocolError, RawFrame(first: 0x83)),
        Case("opcode 7", .protocolError, RawFrame(first: 0x87)),
        Case("opcode 11", .protocolError, RawFrame(first: 0x8B)),
        Case("opcode 15", .protocolError, RawFrame(first: 0x8F)),
        Case("unmasked", .protocolError, RawFrame(first: 0x81, payload: [0x61], mask: nil)),
        Case("ping in fragments", .protocolError, RawFrame(first: 0x09)),
        Case("close in fragments", .protocolError, RawFrame(first: 0x08)),
        Case("ping of 126 bytes", .protocolError, RawFrame(first: 0x89, payload: Array(repeating: 0, count: 126))),
        Case("close of 126 bytes", .protocolError, RawFrame(first: 0x88, payload: [0x03, 0xE8] + Array(repeating: 0x61, count: 124))),
        Case("continuation alone", .protocolError, RawFrame(first: 0x80, payload: [0x61])),
        Case("continuation after the end", .protocolError, .text("a", final: false), RawFrame(first: 0x80), RawFrame(first: 0x80)),
        Case("text inside text", .protocolError, .text("a", final: false), .text("b")),
        Case("binary inside text", .protocolError, .text("a", final: false), RawFrame(first: 0x82)),
        Case("length over 63 bits", .protocolError, RawFrame(first: 0x82, claimedLength: 1 << 63)),
        Case("length of 62 bits", .messageTooBig, RawFrame(first: 0x82, claimedLength: 1 << 62)),
        Case("one byte over the limit, by its head", .messageTooBig, RawFrame(first: 0x82, claimedLength: 1001)),
        Case(
            "over the limit by fragments",
            .messageTooBig,
            RawFrame(first: 0x02, payload: Array(repeating: 0, count: 600)),
            RawFrame(first: 0x80, claimedLength: 401)
        ),
        Case("not UTF-8", .invalidPayload, RawFrame(first: 0x81, payload: [0xFF])),
        Case("character cut by the end", .invalidPayload, RawFrame(first: 0x81, payload: [0x61, 0xE2, 0x82])),
        Case("surrogate", .invalidPayload, RawFrame(first: 0x81, payload: [0xED, 0xA0, 0x80])),
        Case("overlong", .invalidPayload, RawFrame(first: 0x81, payload: [0xC0, 0xAF])),
        Case("above U+10FFFF", .invalidPayload, RawFrame(first: 0x81, payload: [0xF4, 0x90, 0x80, 0x80])),
        Case("broken in an unfinished fragment", .invalidPayload, .text("a", final: false), RawFrame(first: 0x00, payload: [0x80])),
        Case(
            "character cut by the end of the fragments",
            .invalidPayload,
            RawFrame(first: 0x01, payload: [0xE2]),
            RawFrame(first: 0x80, payload: [0x82])
        ),
        Case(
            "broken inside an unfinished frame",
            .invalidPayload,
            RawFrame(first: 0x81, payload: [0x61, 0xF4, 0x90], claimedLength: 900)
        ),
        Case("close with one byte", .protocolError, RawFrame(first: 0x88, payload: [0x03])),
        Case("close reason not UTF-8", .invalidPayload, RawFrame(first: 0x88, payload: [0x03, 0xE8, 0xFF])),
    ]

    @Test(arguments: Self.cases, [1, Int.max])
    func failsWithItsCode(_ violation: Case, piece: Int) throws {
        var machine = WebSocketMachine(role: .server, maxMessageSize: 1000)
        let good = RawFrame.text("good").bytes
        let actions = machine.actions(good + violation.bytes + good, piece: piece)
        // Nothing behind the violation is read.
        #expect(actions.filter { $0 == .text(ByteBuffer(string: "good")) }.count == 1)
        #expect(actions.first == .text(ByteBuffer(string: "good")))
        guard case .fail(let close, let frame) = try #require(actions.last) else {
            Issue.record("not a failure: \(actions)")
            return
        }
        #expect(close.code == violation.code)
        #expect(frame == machine.encoder.close(close.code, reason: close.reason))
        #expect(machine.isClosed)
    }

    @Test(arguments: [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] as [UInt16])
    func codesThatMayNotTravel(_ code: UInt16) {
        var machine = WebSocketMachine(role: .server, maxMessageSize: 1000)
        let actions = machine.actions(RawFrame(first: 0x88, payload: [UInt8(code >> 8), UInt8(code & 0xFF)]).bytes)
        #expect(actions.map(\.failure) == [.protocolError])
    }

    @Test func aClientRefusesMaskedFrames() {
        var machine = WebSocketMachine(role: .client, maxMessageSize: 1000)
        #expect(machine.actions(RawFrame.text("a").bytes).map(\.failure) == [.protocolError])
    }
}
