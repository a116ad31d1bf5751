import HTTPTypes
import Hummingbird
import NIOCore
import SparqProtocol

/// `POST /v1/messages`: one message by HTTP. Its reply is the response.
struct MessageRoute: Sendable {
    let hub: Hub
    let readiness: Readiness
    let tokens: SessionTokens
    let origins: OriginPolicy
    let devCookie: Bool
    let secureCookie: Bool
    let messageBytes: Int
    let limiter: RequestLimiter
    /// In which a proxy says whom it speaks for.
    let forwardedHeader: HTTPField.Name?

    @Sendable func handle(_ request: Request, context: FrontRequestContext) async throws -> Response {
        let credentials = Credentials(
            authorization: request.headers[.authorization],
            query: nil,
            cookies: request.headers[values: .cookie],
            devCookie: devCookie
        )
        if credentials.isAmbient {
            let site = HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] }
            guard origins.allowsChange(origin: request.headers[.origin], host: request.head.authority, site: site) else {
                return error(.forbidden, "Pages of this origin may not send messages.", re: nil)
            }
        }
        let user: String?
        switch credentials.source {
        case .none: user = nil
        case .devCookie(let name): user = name
        case .bearer(let token), .query(let token), .cookie(let token):
            user = await tokens.user(of: token)
            guard user != nil else { return error(.unauthenticated, "The session token is not valid, or its time is over.", re: nil) }
        }
        let wait = limiter.take(key(user, request, context), now: Clock.now())
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
        guard await readiness.isServedSoon() else { return error(.unavailable, ErrorCode.unservedMessage, re: frame.id) }
        let answer = await hub.request(HTTPMessage(user: user, type: frame.type, id: frame.id, message: message))
        switch answer {
        case .unavailable: return error(.unavailable, ErrorCode.unavailableMessage, re: frame.id)
        case .reply(nil, _): return Response(status: .noContent)
        case .reply(.some(let reply), let session): return try await response(reply, session)
        }
    }

    private func key(_ user: String?, _ request: Request, _ context: FrontRequestContext) -> RequestLimiter.Key {
        if let user { return .user(user) }
        return ClientAddress(of: request.headers, peer: context.peer, header: forwardedHeader).map { .address($0) } ?? .nobody
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
            var response = json(status, TokenInsertion.insert(token, into: reply))
            response.setCookie(cookie(token, maxAge: tokens.lifetime))
            return response
        case .end:
            var response = json(status, reply)
            response.setCookie(cookie("", maxAge: 0))
            return response
        }
    }

    private func cookie(_ value: String, maxAge: Int) -> Cookie {
        Cookie(
            name: Credentials.cookieName,
            value: value,
            maxAge: maxAge,
            path: "/",
            secure: secureCookie,
            httpOnly: true,
            sameSite: .lax
        )
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
