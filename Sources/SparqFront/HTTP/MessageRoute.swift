import HTTPTypes
import Hummingbird
import NIOCore
import SparqWire

/// `POST /v1/messages`: one message by HTTP. Its reply is the response.
struct MessageRoute: Sendable {
    let hub: Hub
    let readiness: FrontReadiness
    let tokens: SessionTokens
    let origins: OriginGate
    let devCookie: Bool
    let cookie: SessionCookie
    let messageBytes: Int
    let limiter: RequestLimiter
    let unanswered: UnansweredRequests
    let addresses: ClientAddresses

    @Sendable func handle(_ request: Request, context: FrontRequestContext) async throws -> Response {
        let credentials = Credentials(
            authorization: request.headers[.authorization],
            query: nil,
            cookies: request.headers[values: .cookie],
            devCookie: devCookie
        )
        if credentials.isAmbient, !origins.allowsChange(RequestOrigin(request)) {
            return error(.forbidden, "Pages of this origin may not send messages.", re: nil)
        }
        let identity = await credentials.identity(tokens)
        var response = try await respond(to: request, from: identity.who, context)
        if identity.hasStaleCookie, !response.headers.contains(.setCookie) { response.headers[.setCookie] = cookie.cleared }
        return response
    }

    private func respond(to request: Request, from who: Identity.Who, _ context: FrontRequestContext) async throws -> Response {
        let user: String?
        switch who {
        case .user(let name): user = name
        case .nobody: user = nil
        case .refused: return error(.unauthenticated, "The session token is not valid, or its time is over.", re: nil)
        }
        let key = key(user, request, context)
        let wait = limiter.take(key, now: Clock.now())
        guard wait == 0 else { return tooMany(wait) }
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: messageBytes)
        } catch let error as any HTTPResponseError where error.status == .contentTooLarge {
            return self.error(.tooLarge, "A message has \(messageBytes) bytes at most.", re: nil)
        }
        let message = Array(body.readableBytesView)
        let frame: Frame
        do throws(FrameError) {
            frame = try FrameScanner.scan(message)
        } catch {
            return self.error(error.code, error.message, re: error.id)
        }
        guard !SubscribeMessage.namesTopics(frame.type) else {
            return error(.needsSocket, "A \"\(frame.type)\" is for a WebSocket alone: over HTTP nobody hears events.", re: frame.id)
        }
        guard await readiness.isServedSoon() else { return error(.unavailable, ErrorCode.unservedMessage, re: frame.id) }
        guard unanswered.take(key, frame.type, now: Clock.now()) else {
            return error(.unavailable, ErrorCode.fullLaneMessage, re: frame.id)
        }
        let answer = await hub.request(
            HTTPMessage(
                user: user,
                address: address(request, context)?.description,
                type: frame.type,
                id: frame.id,
                message: message
            )
        )
        if answer != .unavailable { unanswered.answered(key, frame.type) }
        switch answer {
        case .unavailable: return error(.unavailable, ErrorCode.unavailableMessage, re: frame.id)
        case .reply(nil, _): return Response(status: .noContent)
        case .reply(.some(let reply), let session): return try await response(reply, session)
        }
    }

    private func key(_ user: String?, _ request: Request, _ context: FrontRequestContext) -> RequestLimiter.Key {
        if let user { return .user(user) }
        return address(request, context).map { .address($0) } ?? .nobody
    }

    private func address(_ request: Request, _ context: FrontRequestContext) -> ClientAddress? {
        addresses.address(peer: context.peer) { name in HTTPField.Name(name).map { request.headers[values: $0] } ?? [] }
    }

    /// - Parameter wait: nanoseconds.
    private func tooMany(_ wait: Int) -> Response {
        var response = error(.rateLimited, "Too many messages; try again later.", re: nil)
        response.headers[.retryAfter] = String((wait + 999_999_999) / 1_000_000_000)
        return response
    }

    private func response(_ reply: [UInt8], _ session: Done.SessionChange?) async throws -> Response {
        let status: HTTPResponse.Status =
            switch ReplyOutcome(reply[...]) {
            case .ok: .ok
            case .error(let code): ReplyStatus.status(ErrorCode(rawValue: code))
            }
        switch session {
        case nil: return json(status, reply)
        case .begin(let user):
            let token = try await tokens.make(for: user)
            var response = json(status, ReplyBody.inserting(token: token, into: reply))
            response.headers[.setCookie] = cookie.set(token)
            return response
        case .end:
            var response = json(status, reply)
            response.headers[.setCookie] = cookie.cleared
            return response
        }
    }

    private func error(_ code: ErrorCode, _ message: String, re: String?) -> Response {
        json(ReplyStatus.status(code), Frames.errorBody(code, message, re: re))
    }

    private func json(_ status: HTTPResponse.Status, _ body: [UInt8]) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))
        )
    }
}

/// The status of a response, by the reply's error code (docs/PROTOCOL.md, "HTTP").
enum ReplyStatus {
    static func status(_ code: ErrorCode) -> HTTPResponse.Status {
        switch code {
        case .notJSON, .notAnObject, .missingType, .invalidType, .invalidID, .binaryFrame, .unknownType, .invalidFields, .invalidCursor,
            .tooManyTopics, .needsSocket:
            .badRequest
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .conflict: .conflict
        case .tooLarge: .contentTooLarge
        case .rateLimited: .tooManyRequests
        case .internal: .internalServerError
        case .unavailable: .serviceUnavailable
        default: .unprocessableContent
        }
    }
}
