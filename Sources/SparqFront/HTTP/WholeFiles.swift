import HTTPTypes
import Hummingbird

/// Files go whole, whatever part of one is asked for (RFC 9110, section 14.2): they are small, and `FileMiddleware` answers ranges that begin behind a
/// file's end, or count from there, wrongly.
struct WholeFiles: RouterMiddleware {
    typealias Context = FrontRequestContext

    func handle(
        _ request: Request,
        context: FrontRequestContext,
        next: (Request, FrontRequestContext) async throws -> Response
    ) async throws -> Response {
        var head = request.head
        head.headerFields[.range] = nil
        var response = try await next(Request(head: head, body: request.body), context)
        if response.headers.contains(.acceptRanges) { response.headers[.acceptRanges] = "none" }
        return response
    }
}
