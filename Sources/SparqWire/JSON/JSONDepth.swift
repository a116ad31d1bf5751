/// How deep JSON may be nested. Each limit leaves room for what is put around the one before, so that whatever one side may write the other can read.
public enum JSONDepth {
    /// A client's message.
    public static let message = 64
    /// The data of a reply or an event: a message, and what a handler puts around it.
    public static let data = 96
    /// A value in a line between fronts and workers: data, and what replies, events and pages put around it.
    public static let line = 128

    /// Throws where the text is no JSON value (RFC 8259), or is nested deeper than `limit`.
    public static func check(_ text: ArraySlice<UInt8>, limit: Int) throws(JSONError) {
        let result: Result<Void, JSONError> = text.withUnsafeBytes { bytes in
            do throws(JSONError) {
                var cursor = JSONCursor(bytes, depthLimit: limit)
                try cursor.skipValue()
                try cursor.expectEnd()
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
