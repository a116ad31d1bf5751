/// Runs ahead of ``WebSocketMachine`` over the bytes that came in and unmasks every payload, whole or in parts.
///
/// It works before any slice of the buffer is handed out: a later write to shared storage would copy the buffer once per frame.
/// It judges nothing. Behind a head that breaks the protocol it produces nonsense that nobody reads, as the machine fails there.
struct Unmasker {
    /// Bytes of the current payload that are still to come; zero between frames.
    private var remaining: UInt64 = 0
    private var mask: UInt32 = 0
    /// Bytes of the buffer, from its reader index, that are done.
    private(set) var done = 0

    /// Unmasks what it can of the bytes behind `done`.
    mutating func advance(over bytes: UnsafeMutableRawBufferPointer) {
        while self.done < bytes.count {
            if self.remaining == 0 {
                guard let header = FrameHeader(UnsafeRawBufferPointer(rebasing: bytes[self.done...])) else { return }
                self.done += header.size
                self.remaining = header.payloadLength
                self.mask = header.mask
            }
            let available = bytes.count - self.done
            let count = self.remaining < UInt64(available) ? Int(self.remaining) : available
            guard count > 0 else { continue }
            Mask.apply(self.mask, to: UnsafeMutableRawBufferPointer(rebasing: bytes[self.done..<self.done + count]))
            self.mask = Mask.turn(self.mask, by: count)
            self.remaining -= UInt64(count)
            self.done += count
        }
    }

    /// The machine took bytes from the buffer's front.
    mutating func consumed(_ count: Int) {
        self.done -= count
    }
}
