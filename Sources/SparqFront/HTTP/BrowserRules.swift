import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// What every HTTP response says to browsers, errors too: which pages may read it (CORS, Fetch standard, section 3.2), that its type is not to
/// be guessed, and what a page may load. Answers preflights by itself.
struct BrowserRules<Inner: HTTPResponder>: HTTPResponder where Inner.Context == FrontRequestContext {
    private let inner: Inner
    private let origins: OriginGate
    private let contentPolicy: String
    private let logger: Logger

    init(_ inner: Inner, origins: OriginGate, contentPolicy: String, logger: Logger) {
        self.inner = inner
        self.origins = origins
        self.contentPolicy = contentPolicy
        self.logger = logger
    }

    func respond(to request: Request, context: FrontRequestContext) async throws -> Response {
        let page = RequestOrigin(request)
        var response: Response
        if request.method == .options, page.origin != nil, request.headers.contains(.accessControlRequestMethod) {
            response = preflight(page)
        } else {
            do {
                response = try await inner.respond(to: request, context: context)
            } catch let error as HTTPParserError {
                // Whoever wrote that is not to be answered.
                throw error
            } catch {
                // Most often the client has gone.
                logger.debug("A request could not be answered", metadata: ["error": "\(error)"])
                response = Response(status: .internalServerError)
            }
        }
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.contentSecurityPolicy] = contentPolicy
        response.headers[values: .vary].append("Origin")
        if let origin = page.origin, origins.policy.allows(page) {
            // Never "*": browsers send no cookie where that is answered.
            response.headers[.accessControlAllowOrigin] = origin
            response.headers[.accessControlAllowCredentials] = "true"
            response.headers[.accessControlExposeHeaders] = "Retry-After"
        }
        return response
    }

    /// A browser asks before it sends a page's request to another origin.
    private func preflight(_ page: RequestOrigin) -> Response {
        guard origins.allows(page) else { return Response(status: .forbidden) }
        return Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: "GET, HEAD, POST",
                .accessControlAllowHeaders: "Authorization, Content-Type",
                .accessControlMaxAge: "600",
            ]
        )
    }
}
