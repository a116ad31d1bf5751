/// A client's frame, encoded and masked once; only the digits that tell messages apart are changed for each.
///
/// The text holds runs of `#`, nine of them, where the number goes.
struct MessageTemplate {
    /// Digits of a number.
    static let digits = 9

    private(set) var frame: [UInt8]
    private let places: [Int]
    private let mask: [UInt8] = [0x5A, 0xC3, 0x17, 0x9E]
    private let headerSize: Int

    /// `text` is the whole JSON object.
    init(_ text: String) {
        let payload = Array(text.utf8)
        var frame: [UInt8] = [0x81]
        if payload.count < 126 {
            frame.append(0x80 | UInt8(payload.count))
        } else if payload.count < 65536 {
            frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        } else {
            frame.append(0x80 | 127)
            for shift in stride(from: 56, through: 0, by: -8) { frame.append(UInt8(truncatingIfNeeded: payload.count >> shift)) }
        }
        frame += mask
        headerSize = frame.count
        for (index, byte) in payload.enumerated() { frame.append(byte ^ mask[index & 3]) }
        var places: [Int] = []
        var index = 0
        while index + Self.digits <= payload.count {
            if payload[index..<(index + Self.digits)].allSatisfy({ $0 == UInt8(ascii: "#") }) {
                places.append(index)
                index += Self.digits
            } else {
                index += 1
            }
        }
        self.frame = frame
        self.places = places
    }

    /// Writes the number into the frame.
    mutating func patch(_ number: Int) {
        for place in places {
            var rest = number
            for digit in stride(from: Self.digits - 1, through: 0, by: -1) {
                let index = place + digit
                frame[headerSize + index] = (UInt8(ascii: "0") + UInt8(rest % 10)) ^ mask[index & 3]
                rest /= 10
            }
        }
    }
}
