/// How deep JSON may be nested. Each limit leaves room for what is put around the one before, so that whatever one side may write the other can read.
package enum JSONDepth {
    /// A client's message.
    @inlinable package static var message: Int { 64 }
    /// The data of a reply or an event: a message, and what a handler puts around it.
    @inlinable package static var data: Int { 96 }
    /// A value in a line between fronts and workers: data, and what replies, events and pages put around it.
    @inlinable package static var line: Int { 128 }

    /// Throws where the text is no JSON value (RFC 8259), or is nested deeper than `limit`.
    package static func check(_ text: ArraySlice<UInt8>, limit: Int) throws(JSONError) {
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
