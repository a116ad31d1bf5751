/// Newline-delimited JSON: one object a line, the form of every batch.
public enum NDJSON {
    /// The content type of a batch.
    public static let contentType = "application/x-ndjson"

    /// The lines of a batch; empty ones are left out. No copies: each is a slice of `body`.
    public static func lines(_ body: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        body.withUnsafeBytes { bytes in
            var start = 0
            while start < bytes.count {
                let end = ByteSearch.first(UInt8(ascii: "\n"), in: bytes, from: start) ?? bytes.count
                if end > start { lines.append(body[start..<end]) }
                start = end + 1
            }
        }
        return lines
    }

    /// Walks over the members of the one object that `line` holds.
    static func readObject(
        _ line: ArraySlice<UInt8>,
        _ body: (JSONCursor.RawString, inout JSONCursor, UnsafeRawBufferPointer) throws(JSONError) -> Void
    ) throws(JSONError) {
        let result: Result<Void, JSONError> = line.withUnsafeBytes { bytes in
            do throws(JSONError) {
                var cursor = JSONCursor(bytes, depthLimit: JSONDepth.line)
                try cursor.members(in: bytes) { key, cursor throws(JSONError) in try body(key, &cursor, bytes) }
                try cursor.expectEnd()
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}

extension ArraySlice<UInt8> {
    /// The part at offsets counted from the slice's own start.
    func slice(_ offsets: Range<Int>) -> ArraySlice<UInt8> {
        self[(startIndex + offsets.lowerBound)..<(startIndex + offsets.upperBound)]
    }
}
