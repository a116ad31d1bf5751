internal import NIOCore
internal import SparqWebSocket

/// The opening handshake from the client's side (RFC 6455, section 4.1): one request out, one head in.
struct UpgradeExchange {
    enum Outcome: Equatable {
        case incomplete
        case upgraded
        /// `nil` where the answer is no HTTP, or proves no WebSocket; with the seconds after which the server wants to be asked again, where
        /// it says so.
        case refused(status: Int?, retryAfter: Int? = nil)
    }

    /// A longer head is refused.
    static let headLimit = 16_384

    let request: ByteBuffer
    private let accept: String

    init(endpoint: Endpoint, token: String?, headers: [(name: String, value: String)], key: String = Handshake.makeKey()) {
        var text = "GET \(endpoint.target) HTTP/1.1\r\nHost: \(endpoint.authority)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        text += "Sec-WebSocket-Version: \(Handshake.version)\r\nSec-WebSocket-Key: \(key)\r\n"
        if let token { text += "Authorization: Bearer \(token)\r\n" }
        for header in headers { text += "\(header.name): \(header.value)\r\n" }
        request = ByteBuffer(string: text + "\r\n")
        accept = Handshake.accept(for: key)
    }

    /// Reads the head off the front of what came in; what follows it stays.
    func read(_ bytes: inout ByteBuffer) -> Outcome {
        let view = bytes.readableBytesView
        guard let end = view.firstRange(of: Array("\r\n\r\n".utf8)) else {
            return view.count > Self.headLimit ? .refused(status: nil) : .incomplete
        }
        let lines = String(decoding: view[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        bytes.moveReaderIndex(to: end.upperBound)
        let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { return .refused(status: nil) }
        guard status == 101 else {
            return .refused(status: status, retryAfter: Self.value(of: "retry-after", in: lines).flatMap { Int($0) })
        }
        return Self.value(of: "sec-websocket-accept", in: lines) == accept ? .upgraded : .refused(status: nil)
    }

    /// A header's value without spaces.
    private static func value(of name: String, in lines: [Substring]) -> String? {
        let line = lines.dropFirst().first { $0.lowercased().hasPrefix(name + ":") }
        return line?.split(separator: ":", maxSplits: 1).dropFirst().first?.filter { $0 != " " }
    }
}
