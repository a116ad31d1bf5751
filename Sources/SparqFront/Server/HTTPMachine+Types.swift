import NIOCore
import NIOHTTP1

extension HTTPMachine {
    struct Limits: Sendable, Equatable {
        /// Bytes of a request's body.
        var bodyBytes = 64 * 1024
        /// Requests that wait behind the one that is answered; they came in one read with it, or before the client's end.
        var waitingRequests = 100
        /// Bytes of their bodies.
        var waitingBytes = 256 * 1024
        /// Bytes in a row that are no whole part of a request: of a head, of trailers, of a chunk's extensions.
        var unparsedBytes = 64 * 1024
    }

    /// Each has a time limit of its own.
    enum Phase: Equatable {
        /// Nothing of the next request has come.
        case idle
        /// The same, and the server goes away: a request that is on its way is awaited for a moment.
        case leaving
        /// The connection is new, or the first bytes of a head came.
        case head
        /// A head came, its request's end is to follow.
        case body
        /// A handshake's head came, its end is to follow.
        case handshake(key: String)
        /// Somebody decides about a handshake.
        case deciding
        /// A route works on the request.
        case answering
        /// A response is being written.
        case responding
        /// The parser stopped behind a request for an upgrade, and another one takes its place.
        case restarting
        /// The last answer is written or on its way. What comes is dropped, until the peer ends or the time is over.
        case ending
        case upgraded
    }

    /// A request, as far as it is needed to answer it.
    struct Incoming {
        var head: HTTPRequestHead
        var body = ByteBuffer()
        /// The body has more bytes than allowed; `body` is not all of it.
        var isTooLarge = false
    }

    enum Action {
        /// Tell the client that its body is awaited: `100 Continue`.
        case proceed
        /// Find the response. ``responding()`` and ``responded()`` are to follow.
        case answer(Incoming)
        /// Decide about a handshake. ``accepted()`` or ``refused(_:)`` is to follow.
        case decide(HTTPRequestHead, key: String)
        /// Write this answer, then end this side's direction.
        case refuse(Refusal, hasBody: Bool)
        /// Put another parser in the place of one that has stopped. ``restarted()`` is to follow.
        case restart
        /// End this side's direction.
        case end
        /// End the connection.
        case close
    }
}
