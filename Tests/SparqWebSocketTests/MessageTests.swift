import NIOCore
import Testing

@testable import SparqWebSocket

@Suite struct MessageTests {
    @Test func theLimitItselfIsAllowed() {
        var machine = WebSocketMachine(role: .server, maxMessageSize: 1000)
        let bytes = [UInt8](repeating: 0x61, count: 1000)
        #expect(machine.actions(RawFrame(first: 0x81, payload: bytes).bytes) == [.text(ByteBuffer(bytes: bytes))])
        let halves = RawFrame(first: 0x02, payload: Array(bytes[..<400])).bytes + RawFrame(first: 0x80, payload: Array(bytes[400...])).bytes
        #expect(machine.actions(halves) == [.binary(ByteBuffer(bytes: bytes))])
    }

    @Test func aCharacterMayBeCutByFragments() {
        var machine = WebSocketMachine(role: .server, maxMessageSize: 1000)
        let frames = [
            RawFrame(first: 0x01, payload: [0xF0, 0x9F]), RawFrame(first: 0x00, payload: []), RawFrame(first: 0x89, payload: [1]),
            RawFrame(first: 0x00, payload: [0x98]), RawFrame(first: 0x80, payload: [0x80]),
        ]
        let actions = machine.actions(frames.flatMap(\.bytes))
        #expect(actions == [.ping(ByteBuffer(bytes: [1])), .text(ByteBuffer(string: "😀"))])
    }

    @Test func pingsAndPongsAreReportedWithTheirPayload() {
        var machine = WebSocketMachine(role: .server, maxMessageSize: 10)
        let payload = [UInt8](repeating: 7, count: 125)
        let bytes = RawFrame(first: 0x89, payload: payload).bytes + RawFrame(first: 0x8A, payload: [1, 2]).bytes
        #expect(machine.actions(bytes) == [.ping(ByteBuffer(bytes: payload)), .pong(ByteBuffer(bytes: [1, 2]))])
        #expect(machine.encoder.pong(ByteBuffer(bytes: payload)) == ByteBuffer(bytes: [0x8A, 125] + payload))
    }

    @Test func framesThatCarryNextToNothingAreCounted() {
        var machine = WebSocketMachine(role: .server, maxMessageSize: 1000)
        let frames = [
            RawFrame(first: 0x89), RawFrame(first: 0x8A, payload: [1]), RawFrame(first: 0x01), RawFrame(first: 0x00), RawFrame(first: 0x00),
            RawFrame(first: 0x00, payload: Array(repeating: 0x61, count: 126)), RawFrame(first: 0x80), RawFrame.text("a message"),
        ]
        _ = machine.actions(frames.flatMap(\.bytes))
        #expect(machine.takeQuietFrames() == 5)
        #expect(machine.takeQuietFrames() == 0)
    }

    @Test func anIdleMachineHoldsNothing() {
        var machine = WebSocketMachine(role: .server, maxMessageSize: 1000)
        _ = machine.actions(RawFrame.text("hello").bytes)
        #expect(machine.bufferedBytes == 0)
        #expect(machine.buffer.capacity == 0)
    }

    /// A message is a slice of what came in: its storage has the frame's head before it.
    @Test func aWholeMessageIsNotCopied() {
        var machine = WebSocketMachine(role: .server, maxMessageSize: 1000)
        var incoming = ByteBufferAllocator().buffer(capacity: 64)
        incoming.writeBytes(RawFrame.text("hello").bytes)
        let before = incoming.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        machine.receive(incoming.take())
        guard case .text(let text)? = machine.next() else {
            Issue.record("no text")
            return
        }
        let after = text.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        #expect(after == before + 6)
    }
}

extension ByteBuffer {
    /// Gives the buffer away, so that its storage has one owner.
    fileprivate mutating func take() -> ByteBuffer {
        let taken = self
        self = ByteBuffer()
        return taken
    }
}
