public import NIOCore
public import SparqFrontCore

/// The core sequences whatever is written to sockets; here these are encoded frames.
package typealias FrameStream = TopicStream<ByteBuffer>

extension ByteBuffer: StreamFrame {}
