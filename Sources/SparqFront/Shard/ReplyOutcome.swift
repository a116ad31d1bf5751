import SparqWire

/// Whether a reply says yes or no; only replies that the front itself acts on are read.
enum ReplyOutcome: Equatable {
    case ok
    case error(code: String)

    /// Reads the JSON text of a reply. What is no reply counts as an error of the workers.
    init(_ reply: ArraySlice<UInt8>) {
        switch (try? ReplyBody(decoding: reply))?.outcome {
        case .success?: self = .ok
        case .failure(let error)?: self = .error(code: error.code.rawValue)
        case nil: self = .error(code: ErrorCode.internal.rawValue)
        }
    }
}
