/// Newline-delimited JSON: one object a line, the form of every batch.
package enum NDJSON {
    /// The content type of a batch.
    @inlinable package static var contentType: String { "application/x-ndjson" }

    /// The lines of a batch; empty ones are left out. No copies: each is a slice of `body`.
    package static func lines(_ body: [UInt8]) -> [ArraySlice<UInt8>] {
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
}
