/// Why a connection ends (RFC 6455, section 7.4, and the IANA registry of close codes).
public struct CloseCode: RawRepresentable, Hashable, Sendable {
    /// The number as the wire has it.
    public let rawValue: UInt16

    /// Takes any number; ``isAllowedOnWire`` tells whether a close frame may carry it.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// 1000: the purpose is fulfilled.
    public static let normal = CloseCode(rawValue: 1000)
    /// 1001: the endpoint goes away (a server shuts down, a page is left).
    public static let goingAway = CloseCode(rawValue: 1001)
    /// 1002: the peer broke the protocol.
    public static let protocolError = CloseCode(rawValue: 1002)
    /// 1005: the peer's close frame had no code. Never on the wire.
    public static let noStatus = CloseCode(rawValue: 1005)
    /// 1006: the connection ended without a close frame. Never on the wire.
    public static let abnormal = CloseCode(rawValue: 1006)
    /// 1007: the bytes do not fit the message's kind, such as text that is no UTF-8.
    public static let invalidPayload = CloseCode(rawValue: 1007)
    /// 1009: the message is too big.
    public static let messageTooBig = CloseCode(rawValue: 1009)
    /// 1011: something unexpected stopped the server.
    public static let internalError = CloseCode(rawValue: 1011)
    /// 1012: the service restarts; come back after a random delay.
    public static let serviceRestart = CloseCode(rawValue: 1012)
    /// 1013: the server is overloaded; come back later.
    public static let tryAgainLater = CloseCode(rawValue: 1013)

    /// Whether a close frame may carry this code: those that RFC 6455 and the IANA registry define for the wire,
    /// and 3000–4999 for libraries and applications.
    public var isAllowedOnWire: Bool {
        switch self.rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

extension CloseCode: CustomStringConvertible {
    /// The number.
    public var description: String { String(self.rawValue) }
}
