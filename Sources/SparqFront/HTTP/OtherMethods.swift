import HTTPTypes
import Hummingbird
import NIOCore
import SparqWire

/// What neither a route nor a file answers: 405 with `Allow` where another method would find something, else 404.
struct OtherMethods: RouterMiddleware {
    typealias Context = FrontRequestContext

    /// The routes' paths with their methods.
    let routes: [String: [HTTPRequest.Method]]

    func handle(
        _ request: Request,
        context: FrontRequestContext,
        next: (Request, FrontRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as any HTTPResponseError where error.status == .notFound {
            let path = "/" + request.uri.path.split(separator: "/").joined(separator: "/")
            if let methods = routes[path] { return notAllowed(methods) }
            if request.method != .get, request.method != .head, await isThere(request, context, next) { return notAllowed([.get, .head]) }
            return answer(.notFound, Frames.errorBody(.notFound, "There is nothing at this address.", re: nil))
        }
    }

    private func isThere(
        _ request: Request,
        _ context: FrontRequestContext,
        _ next: (Request, FrontRequestContext) async throws -> Response
    ) async -> Bool {
        var head = request.head
        head.method = .head
        // An answer of whatever kind, or another error than "not found", comes from something that is there.
        do {
            return try await next(Request(head: head, body: RequestBody(buffer: ByteBuffer())), context).status != .notFound
        } catch {
            return (error as? any HTTPResponseError)?.status != .notFound
        }
    }

    private func notAllowed(_ methods: [HTTPRequest.Method]) -> Response {
        var response = answer(
            .methodNotAllowed,
            Frames.errorBody(.methodNotAllowed, "This address has other methods.", re: nil)
        )
        response.headers[.allow] = methods.map(\.rawValue).joined(separator: ", ")
        return response
    }

    private func answer(_ status: HTTPResponse.Status, _ body: [UInt8]) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))
        )
    }
}
