/// What a front reads of the lists that clients send, as cheaply as it can: before a list is bounded it makes nothing of what is in it.
extension FrameScanner {
    /// One member of an object within a frame.
    package struct Member: Equatable, Sendable {
        /// Its name.
        package let name: String
        /// Where its value's text stands in the frame.
        package let value: Range<Int>
    }

    /// How many members or elements the values of a key at the top level have; of all, where the key stands more than once. What is neither an object
    /// nor an array has none.
    ///
    /// - Parameter frame: one JSON object, as ``scan(_:)`` has found it to be.
    package static func count(_ key: StaticString, in frame: [UInt8]) -> Int {
        var count = 0
        _ = frame.withUnsafeBytes { bytes in
            values(of: key, in: bytes) { cursor throws(JSONError) in
                switch cursor.peek() {
                case UInt8(ascii: "{"):
                    try cursor.members(in: bytes) { _, cursor throws(JSONError) in
                        count += 1
                        try cursor.skipValue(depth: 2)
                    }
                case UInt8(ascii: "["):
                    try cursor.elements { cursor throws(JSONError) in
                        count += 1
                        try cursor.skipValue(depth: 2)
                    }
                default: try cursor.skipValue(depth: 1)
                }
            }
        }
        return count
    }

    /// The members of the objects that are the values of a key at the top level; of all, where the key stands more than once. `nil` where it does not
    /// stand, or another kind of value is there.
    ///
    /// - Parameter frame: one JSON object, as ``scan(_:)`` has found it to be.
    package static func members(of key: StaticString, in frame: [UInt8]) -> [Member]? {
        var found: [Member]?
        let isRead = frame.withUnsafeBytes { bytes in
            values(of: key, in: bytes) { cursor throws(JSONError) in
                var members = found ?? []
                try cursor.members(in: bytes) { name, cursor throws(JSONError) in
                    members.append(Member(name: JSONCursor.text(name, in: bytes), value: try cursor.skipValue(depth: 2)))
                }
                found = members
            }
        }
        return isRead ? found : nil
    }

    /// Calls `body` for each value of a key at the top level; `body` must read it. False where it could not.
    private static func values(
        of key: StaticString,
        in bytes: UnsafeRawBufferPointer,
        _ body: (inout JSONCursor) throws(JSONError) -> Void
    ) -> Bool {
        var cursor = JSONCursor(bytes)
        do throws(JSONError) {
            try cursor.members(in: bytes) { name, cursor throws(JSONError) in
                cursor.skipWhitespace()
                if JSONCursor.matches(name, key, in: bytes) {
                    try body(&cursor)
                } else {
                    try cursor.skipValue(depth: 1)
                }
            }
            return true
        } catch {
            return false
        }
    }
}
