import SparqWire

/// A message that came by HTTP.
struct HTTPMessage: Sendable {
    /// `nil`: anonymous.
    var user: String?
    /// Where it came from; `nil` where that is no IP address.
    var address: String?
    var type: String
    var id: String?
    var message: [UInt8]
}

/// What became of it.
enum HTTPAnswer: Sendable, Equatable {
    /// A worker is through with it; the reply's JSON text, where there is one.
    case reply([UInt8]?, Done.SessionChange?)
    /// No answer in time, or no way to ask.
    case unavailable
}
