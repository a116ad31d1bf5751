import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The front's HTTP routes.
enum FrontRouter {
    typealias Responder = RouterResponder<FrontRequestContext>

    static func make(
        messages: MessageRoute,
        readiness: FrontReadiness,
        webRoot: String?,
        logger: Logger
    ) -> Responder {
        let router = Router(context: FrontRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: OtherMethods(routes: ["/v1/messages": [.post], "/healthz": [.get, .head], "/readyz": [.get, .head]]))
        if let webRoot {
            router.add(middleware: WholeFiles())
            router.add(
                middleware: FileMiddleware(
                    webRoot,
                    cacheControl: CacheControl([(MediaType(type: .any), [.noCache])]),
                    searchForIndexHtml: true,
                    logger: logger
                )
            )
        }
        router.post("/v1/messages") { request, context in try await messages.handle(request, context: context) }
        router.get("/healthz") { _, _ in Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: "alive\n"))) }
        router.get("/readyz") { _, _ in
            let state = readiness.current
            return Response(
                status: state.isReady ? .ok : .serviceUnavailable,
                headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: state.json))
            )
        }
        return router.buildResponder()
    }
}
