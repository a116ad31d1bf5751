import NIOCore
import NIOHTTP1
import SparqWire

/// An HTTP answer instead of an upgrade. The connection closes after it.
struct Refusal: Equatable, Sendable {
    var status: HTTPResponseStatus
    var headers: HTTPHeaders = [:]
    /// JSON, sent as `application/json`.
    var body = ByteBuffer()

    /// An error with a stable code and a sentence for people, in the same shape as every error of the front.
    static func error(_ status: HTTPResponseStatus, code: ErrorCode, message: String, headers: HTTPHeaders = [:]) -> Refusal {
        Refusal(status: status, headers: headers, body: ByteBuffer(bytes: ReplyBody.error(id: nil, ErrorBody(code, message))))
    }

    static let noTunnels = Refusal.error(
        .methodNotAllowed,
        code: .methodNotAllowed,
        message: "This is no proxy",
        headers: ["Allow": "GET, HEAD, POST"]
    )
    static let onlyGET = Refusal.error(
        .methodNotAllowed,
        code: .methodNotAllowed,
        message: "This address speaks WebSocket; the handshake is a GET",
        headers: ["Allow": "GET"]
    )
    static let badPath = Refusal.error(.badRequest, code: .badRequest, message: "The path has control characters")
    static let expectationFailed = Refusal.error(
        .expectationFailed,
        code: .expectationFailed,
        message: "100-continue is the only expectation that is met"
    )
    static let wrongVersion = Refusal.error(
        .upgradeRequired,
        code: .upgradeRequired,
        message: "This address speaks WebSocket, version 13",
        headers: ["Upgrade": "websocket", "Sec-WebSocket-Version": "13"]
    )
    static let badHandshake = Refusal.error(.badRequest, code: .badHandshake, message: "The WebSocket handshake is malformed")
    static let badRequest = Refusal.error(.badRequest, code: .badRequest, message: "This is not HTTP")
    static let headersTooLarge = Refusal.error(
        .requestHeaderFieldsTooLarge,
        code: .headersTooLarge,
        message: "The request's headers are too large"
    )
    static let originNotAllowed = Refusal.error(.forbidden, code: .originNotAllowed, message: "Pages of this origin may not connect")
    static let unavailable = Refusal.error(.serviceUnavailable, code: .unavailable, message: "Try again in a moment")
    static let tooSlow = Refusal.error(.requestTimeout, code: .timeout, message: "The request did not arrive in time")
}
