internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Single HTTP/1.1 requests without TLS, for tests and tools: logging in, posting messages, asking for health. One connection each.
public enum HTTPExchange {
    /// Posts a message to `/v1/messages` of a front.
    /// - Parameters:
    ///   - url: of the endpoint, like `http://127.0.0.1:8080/v1/messages`.
    ///   - message: the whole message as JSON text.
    public static func post(
        _ url: String,
        message: [UInt8],
        token: String? = nil,
        headers: [(name: String, value: String)] = []
    ) async throws(HTTPExchangeError) -> HTTPAnswer {
        var all = headers + [(name: "Content-Type", value: "application/json")]
        if let token { all.append((name: "Authorization", value: "Bearer \(token)")) }
        return try await request("POST", url, headers: all, body: message)
    }

    /// Any request.
    /// - Parameter timeout: for the whole exchange.
    public static func request(
        _ method: String,
        _ url: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = [],
        timeout: Duration = .seconds(30)
    ) async throws(HTTPExchangeError) -> HTTPAnswer {
        guard let parts = URL(string: url), parts.scheme == "http", let host = parts.host(percentEncoded: false), !host.isEmpty else {
            throw HTTPExchangeError("\"\(url)\" is no http URL.")
        }
        let port = parts.port ?? 80
        let authority = (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
        let path = parts.path(percentEncoded: true)
        let target = (path.isEmpty ? "/" : path) + (parts.query(percentEncoded: true).map { "?" + $0 } ?? "")
        var fields = HTTPHeaders([("Host", authority), ("Connection", "close"), ("Content-Length", String(body.count))])
        for header in headers { fields.add(name: header.name, value: header.value) }
        let head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method), uri: target, headers: fields)
        let limit = TimeAmount(timeout)
        do {
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let answer = loop.makePromise(of: HTTPAnswer.self)
            ClientBootstrap(group: loop)
                .connectTimeout(limit)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        let handler = HTTPExchangeHandler(head: head, body: ByteBuffer(bytes: body), timeout: limit, answer: answer)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
                .connect(host: host, port: port)
                .whenFailure { answer.fail($0) }
            return try await answer.futureResult.get()
        } catch {
            throw HTTPExchangeError("\(method) to \(authority) failed: \(error)")
        }
    }
}

/// An exchange that broke off, or could not begin.
public struct HTTPExchangeError: Error, CustomStringConvertible {
    /// A sentence for people.
    public let message: String

    init(_ message: String) { self.message = message }

    /// The sentence.
    public var description: String { message }
}
