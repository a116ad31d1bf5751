/// The frames of the yardstick: as long as the events of the fan-out, with numbers of fixed width.
struct BareFrames {
    static let prefix = Array("{\"type\":\"room.message\",\"topic\":\"room:bench-bare-0\",\"seq\":".utf8)

    /// Unmasked text frames, one after the other.
    private(set) var bytes: [UInt8] = []
    /// How many.
    let count: Int
    /// Where each frame's two numbers go.
    private var places: [[Int]] = []
    private var first = -1

    /// - Parameter bytes: of a client's message; the events are as long as those that it would make.
    init(bytes: Int, count: Int) {
        self.count = count
        let head = Array(
            "000000000,\"at\":\"2026-01-31T12:00:00.000Z\",\"data\":{\"room\":\"bench-bare-0\",\"from\":\"bench-bare\",\"text\":\"n".utf8
        )
        let text = max(9, bytes - 78)
        let tail = Array("000000000".utf8) + Array(repeating: UInt8(ascii: "x"), count: text - 9) + Array("\"}}".utf8)
        let payload = Self.prefix + head + tail
        let header: [UInt8] =
            payload.count < 126 ? [0x81, UInt8(payload.count)] : [0x81, 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        for _ in 0..<count {
            let start = self.bytes.count + header.count + Self.prefix.count
            places.append([start, start + head.count])
            self.bytes += header + payload
        }
    }

    /// Numbers the frames from `number` on. Nothing is done where they are numbered so.
    mutating func number(from number: Int) {
        guard number != first else { return }
        first = number
        for (index, places) in places.enumerated() {
            for place in places {
                var rest = number + index
                for digit in stride(from: 8, through: 0, by: -1) {
                    bytes[place + digit] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                }
            }
        }
    }
}
