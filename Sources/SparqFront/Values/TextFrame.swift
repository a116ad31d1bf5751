package import NIOCore

/// A server's WebSocket frame of one text message (RFC 6455, section 5.2): it has no mask, so the same bytes go to any number of sockets.
package enum TextFrame {
    /// A frame of its own, with no spare room.
    package static func encode(_ payload: ArraySlice<UInt8>) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: payload.count + headerSize(payload.count))
        write(payload, to: &buffer)
        return buffer
    }

    /// Appends a frame.
    static func write(_ payload: ArraySlice<UInt8>, to buffer: inout ByteBuffer) {
        buffer.writeInteger(0x81 as UInt8)
        switch payload.count {
        case ...125: buffer.writeInteger(UInt8(payload.count))
        case ...Int(UInt16.max): buffer.writeMultipleIntegers(126 as UInt8, UInt16(payload.count))
        default: buffer.writeMultipleIntegers(127 as UInt8, UInt64(payload.count))
        }
        buffer.writeBytes(payload)
    }

    private static func headerSize(_ count: Int) -> Int { count <= 125 ? 2 : count <= Int(UInt16.max) ? 4 : 10 }
}
