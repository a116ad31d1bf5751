import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// One request that a route is to answer, and the way for its response.
struct HTTPTurn: Sendable {
    let head: HTTPRequestHead
    let body: RequestBody
    let channel: any Channel
    /// Writes a piece of the response. Returns when the kernel has it, so that no more than one piece waits for a slow client.
    let write: @Sendable (Piece) async throws -> Void

    /// Some of a response, in this order.
    struct Piece: Sendable {
        var head: HTTPResponseHead?
        var body: ByteBuffer?
        var isEnd = false
    }

    /// Finds the response and writes it.
    ///
    /// - Parameter headers: Of the response where the route failed.
    func answer<Responder: HTTPResponder>(with responder: Responder, refusing headers: HTTPHeaders, logger: Logger) async
    where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        let response: Response
        do {
            let request = Request(head: try HTTPRequest(head, secure: false, splitCookie: false), body: body)
            response = try await responder.respond(to: request, context: .init(source: .init(channel: channel, logger: logger)))
        } catch {
            logger.debug("A route failed", metadata: ["error": "\(error)"])
            var failure = Response(status: .internalServerError)
            for (name, value) in headers { if let name = HTTPField.Name(name) { failure.headers[name] = value } }
            response = failure
        }
        var answer = HTTPResponseHead(response.head)
        // Clients of that version take the end for granted.
        if head.version == .http1_0, head.isKeepAlive { answer.headers.replaceOrAdd(name: "Connection", value: "keep-alive") }
        do {
            try await response.body.write(Writer(pending: Piece(head: answer), send: write))
        } catch {
            // Half a response is worse than none, where the connection is not gone by itself.
            channel.close(promise: nil)
        }
    }

    /// Keeps one piece back, so that a response of one buffer leaves at once.
    private struct Writer: ResponseBodyWriter {
        var pending: Piece
        let send: @Sendable (Piece) async throws -> Void

        mutating func write(_ buffer: ByteBuffer) async throws {
            if pending.body != nil {
                try await send(pending)
                pending = Piece()
            }
            pending.body = buffer
        }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
            var last = pending
            last.isEnd = true
            try await send(last)
        }
    }
}

extension RequestBody {
    /// Whoever reads it learns that it is too large.
    static var tooLarge: RequestBody {
        RequestBody(asyncSequence: AsyncThrowingStream<ByteBuffer, any Error> { $0.finish(throwing: HTTPError(.contentTooLarge)) })
    }
}
