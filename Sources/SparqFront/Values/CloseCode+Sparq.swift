import SparqWebSocket
import SparqWire

/// Sparq's own close codes, as sockets take them.
extension CloseCode {
    static let sessionEnded = CloseCode(rawValue: UInt16(CloseCodes.sessionEnded))
    static let disconnected = CloseCode(rawValue: UInt16(CloseCodes.disconnected))
    static let slowConsumer = CloseCode(rawValue: UInt16(CloseCodes.slowConsumer))
    static let noPong = CloseCode(rawValue: UInt16(CloseCodes.noPong))
}
