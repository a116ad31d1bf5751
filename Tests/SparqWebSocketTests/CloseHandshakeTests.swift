import NIOCore
import Testing

@testable import SparqWebSocket

@Suite struct CloseHandshakeTests {
    @Test(arguments: [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1014, 3000, 4999] as [UInt16])
    func thePeersCodeIsAnswered(_ code: UInt16) {
        var machine = WebSocketMachine(role: .server, maxMessageSize: 1000)
        let payload = [UInt8(code >> 8), UInt8(code & 0xFF)] + Array("bye".utf8)
        let actions = machine.actions(RawFrame(first: 0x88, payload: payload).bytes + RawFrame.text("late").bytes)
        let answer = ByteBuffer(bytes: [0x88, 2, UInt8(code >> 8), UInt8(code & 0xFF)])
        #expect(actions == [.close(Close(CloseCode(rawValue: code), reason: "bye"), answer: answer)])
        #expect(machine.isClosed)
        #expect(machine.close() == nil)
    }

    @Test func anEmptyCloseIsAnsweredByOne() {
        var machine = WebSocketMachine(role: .server, maxMessageSize: 1000)
        #expect(machine.actions(RawFrame(first: 0x88).bytes) == [.close(Close(.noStatus), answer: ByteBuffer(bytes: [0x88, 0]))])
    }

    @Test func ourCloseAwaitsTheEchoAndDropsWhatComesBefore() {
        var machine = WebSocketMachine(role: .server, maxMessageSize: 1000)
        #expect(machine.actions(RawFrame.text("half", final: false).bytes) == [])
        #expect(machine.close(.goingAway, reason: "drain") == machine.encoder.close(.goingAway, reason: "drain"))
        #expect(machine.close(.goingAway) == nil)
        #expect(!machine.isOpen && !machine.isClosed)
        let late = RawFrame(first: 0x80, payload: [0x61]).bytes + RawFrame.text("b").bytes + RawFrame(first: 0x89).bytes
        #expect(machine.actions(late) == [])
        let echo = RawFrame(first: 0x88, payload: [0x03, 0xE9]).bytes
        #expect(machine.actions(echo) == [.close(Close(.goingAway), answer: nil)])
        #expect(machine.isClosed)
    }

    @Test func aViolationAfterOurCloseHasNoSecondCloseFrame() {
        var machine = WebSocketMachine(role: .server, maxMessageSize: 1000)
        _ = machine.close()
        let actions = machine.actions(RawFrame(first: 0x83).bytes)
        #expect(actions == [.fail(Close(.protocolError, reason: "Unknown opcode"), frame: nil)])
    }

    @Test func aLongReasonIsCutAtACharacter() {
        let frame = FrameEncoder(role: .server).close(.normal, reason: String(repeating: "é", count: 100))
        // 61 characters of two bytes fit into 123.
        #expect(frame.readableBytes == 2 + 2 + 122)
        var client = WebSocketMachine(role: .client, maxMessageSize: 1000)
        let actions = client.actions(Array(frame.readableBytesView))
        guard case .close(let close, _)? = actions.first else {
            Issue.record("no close: \(actions)")
            return
        }
        #expect(close == Close(.normal, reason: String(repeating: "é", count: 61)))
    }
}
