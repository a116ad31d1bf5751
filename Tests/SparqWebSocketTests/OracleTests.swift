import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

@testable import SparqWebSocket

/// NIOWebSocket's codec writes what the machine reads, and reads what the encoder writes.
@Suite struct OracleTests {
    /// Messages in random fragments with control frames between them, cut into random pieces.
    @Test(arguments: 1...20 as ClosedRange<UInt64>, [Role.server, .client])
    func readsWhatNIOWrites(seed: UInt64, role: Role) throws {
        var random = SeededGenerator(seed: seed)
        let channel = EmbeddedChannel(handler: WebSocketFrameEncoder())
        defer { _ = try? channel.finish() }
        var machine = WebSocketMachine(role: role, maxMessageSize: 1 << 20)
        var expected: [WebSocketMachine.Action] = []

        func write(_ opcode: WebSocketOpcode, _ payload: ByteBuffer, fin: Bool = true) throws {
            let key = role == .server ? WebSocketMaskingKey((0..<4).map { _ in UInt8.random(in: .min ... .max, using: &random) }) : nil
            try channel.writeOutbound(WebSocketFrame(fin: fin, opcode: opcode, maskKey: key, data: payload))
        }

        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let isText = Bool.random(using: &random)
            let size = [0, 1, 5, 125, 126, 200, 65535, 65536, 70000].randomElement(using: &random) ?? 0
            let message = Self.message(size, isText: isText, &random)
            var rest = message
            var opcode: WebSocketOpcode = isText ? .text : .binary
            while true {
                let last = Int.random(in: 0..<3, using: &random) == 0
                let count = last ? rest.readableBytes : Int.random(in: 0...rest.readableBytes, using: &random)
                let part = rest.readSlice(length: count)
                try write(opcode, #require(part), fin: last)
                opcode = .continuation
                if last { break }
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    let payload = Self.message(Int.random(in: 0...125, using: &random), isText: false, &random)
                    try write(.ping, payload)
                    expected.append(.ping(payload))
                case 1:
                    try write(.pong, ByteBuffer(string: "p"))
                    expected.append(.pong(ByteBuffer(string: "p")))
                default: break
                }
            }
            expected.append(isText ? .text(message) : .binary(message))
        }

        var wire = ByteBuffer()
        while var bytes = try channel.readOutbound(as: ByteBuffer.self) { wire.writeBuffer(&bytes) }
        var actions: [WebSocketMachine.Action] = []
        let largest = [1, 3, 17, 256, 4096, 200_000].randomElement(using: &random) ?? 1
        while wire.readableBytes > 0 {
            let count = min(wire.readableBytes, Int.random(in: 1...largest, using: &random))
            let piece = wire.readBytes(length: count)
            machine.receive(ByteBuffer(bytes: try #require(piece)))
            while let action = machine.next() { actions.append(action) }
        }
        #expect(actions == expected)
        #expect(machine.bufferedBytes == 0)
    }

    @Test(arguments: [Role.server, .client], [0, 1, 125, 126, 65535, 65536, 100_000])
    func NIOReadsWhatTheEncoderWrites(role: Role, size: Int) throws {
        var random = SeededGenerator(seed: UInt64(size) + 1)
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: 1 << 20)))
        defer { _ = try? channel.finish() }
        let encoder = FrameEncoder(role: role)
        let payload = Self.message(size, isText: true, &random)
        let control = Self.message(min(size, 125), isText: false, &random)
        let written: [(WebSocketOpcode, ByteBuffer, ByteBuffer)] = [
            (.text, payload, encoder.text(payload)), (.binary, payload, encoder.binary(payload)),
            (.ping, control, encoder.ping(control)), (.pong, control, encoder.pong(control)),
            (.connectionClose, ByteBuffer(bytes: [0x03, 0xE9] + Array("away".utf8)), encoder.close(.goingAway, reason: "away")),
        ]
        for (opcode, data, frame) in written {
            try channel.writeInbound(frame)
            let read = try #require(try channel.readInbound(as: WebSocketFrame.self))
            #expect(read.fin)
            #expect(read.opcode == opcode)
            #expect((read.maskKey != nil) == (role == .client))
            #expect(read.unmaskedData == data)
        }
    }

    private static func message(_ size: Int, isText: Bool, _ random: inout SeededGenerator) -> ByteBuffer {
        guard isText else { return ByteBuffer(bytes: (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &random) }) }
        var text = ByteBuffer()
        while text.readableBytes < size {
            let character: String = ["a", "é", "€", "😀", "hello, world, this is ASCII"].randomElement(using: &random) ?? "a"
            text.writeString(text.readableBytes + character.utf8.count <= size ? character : "x")
        }
        return text
    }
}
