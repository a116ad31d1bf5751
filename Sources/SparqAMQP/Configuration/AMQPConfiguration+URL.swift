extension AMQPConfiguration {
    /// Reads `amqp://user:password@host:port/vhost?heartbeat=10` (RabbitMQ, "URI Specification" and "URI Query Parameters").
    ///
    /// For a cluster there may be several hosts, each with or without a port: `amqp://user:password@a,b:5673,[::1]:5674/vhost`. User, password, host and virtual host may be percent-encoded. What is left out is `guest`, `guest`, the scheme's port, and `/`; an
    /// empty virtual host is read as `/` too. Query parameters: `heartbeat` (seconds), `connection_timeout` (milliseconds), and for
    /// `amqps` `cacertfile`, `certfile`, `keyfile`, `verify` (`verify_peer` or `verify_none`).
    /// - Throws: ``AMQPError/Code-swift.struct/invalidURL`` for anything else, with a message that does not repeat the URL.
    public init(url: String) throws(AMQPError) {
        guard let separator = Self.range(of: "://", in: url[...]) else { throw Self.invalid("no scheme") }
        let scheme = url[..<separator.lowerBound].lowercased()
        guard scheme == "amqp" || scheme == "amqps" else { throw Self.invalid("scheme is neither amqp nor amqps") }
        var rest = url[separator.upperBound...]
        guard !rest.contains("#") else { throw Self.invalid("a fragment has no meaning here (encode # as %23)") }

        var query: Substring?
        if let mark = rest.firstIndex(of: "?") {
            query = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
        }
        var virtualHost = "/"
        if let slash = rest.firstIndex(of: "/") {
            let path = rest[rest.index(after: slash)...]
            guard !path.contains("/") else { throw Self.invalid("virtual host contains / (encode it as %2F)") }
            if !path.isEmpty { virtualHost = try Self.decode(path, "virtual host") }
            rest = rest[..<slash]
        }
        var user = "guest"
        var password = "guest"
        if let at = rest.lastIndex(of: "@") {
            let credentials = rest[..<at]
            rest = rest[rest.index(after: at)...]
            if let colon = credentials.firstIndex(of: ":") {
                user = try Self.decode(credentials[..<colon], "user")
                password = try Self.decode(credentials[credentials.index(after: colon)...], "password")
            } else {
                user = try Self.decode(credentials, "user")
            }
        }
        let defaultPort: UInt16 = scheme == "amqps" ? 5671 : 5672
        var hosts: [AMQPHost] = []
        for text in rest.split(separator: ",", omittingEmptySubsequences: false) {
            hosts.append(try Self.host(text, defaultPort: defaultPort))
        }
        self.init(hosts: hosts, user: user, password: password, virtualHost: virtualHost)
        if scheme == "amqps" { tls = TLSSettings() }
        if let query, !query.isEmpty {
            for parameter in query.split(separator: "&", omittingEmptySubsequences: false) { try apply(parameter) }
        }
    }

    private mutating func apply(_ parameter: Substring) throws(AMQPError) {
        let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw Self.invalid("query parameter without a value") }
        let name = parts[0]
        let value = try Self.decode(parts[1], "query parameter")
        switch name {
        case "heartbeat":
            guard let seconds = UInt16(value) else { throw Self.invalid("heartbeat is no number of seconds up to 65535") }
            heartbeat = .seconds(seconds)
        case "connection_timeout":
            guard let milliseconds = UInt32(value), milliseconds > 0 else {
                throw Self.invalid("connection_timeout is no number of milliseconds above zero")
            }
            connectTimeout = .milliseconds(milliseconds)
        case "cacertfile", "certfile", "keyfile", "verify":
            guard tls != nil else { throw Self.invalid("\(name) needs amqps") }
            switch (name, value) {
            case ("cacertfile", _): tls?.caFile = value
            case ("certfile", _): tls?.certificateFile = value
            case ("keyfile", _): tls?.keyFile = value
            case (_, "verify_peer"): break
            case (_, "verify_none"):
                tls?.verifyPeer = false
                tls?.verifyHostname = false
            default: throw Self.invalid("verify is neither verify_peer nor verify_none")
            }
        default:
            throw Self.invalid("query parameter that is not known")
        }
    }

    private static func host(_ text: Substring, defaultPort: UInt16) throws(AMQPError) -> AMQPHost {
        var host = text
        var portText: Substring?
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else { throw invalid("address without ]") }
            host = text[text.index(after: text.startIndex)..<close]
            let after = text[text.index(after: close)...]
            if !after.isEmpty {
                guard after.first == ":" else { throw invalid("text after ]") }
                portText = after.dropFirst()
            }
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            portText = text[text.index(after: colon)...]
        }
        guard !host.isEmpty else { throw invalid("no host, or an empty one in the list") }
        let name = try decode(host, "host")
        guard let portText else { return AMQPHost(name, port: defaultPort) }
        guard let port = UInt16(portText), port > 0 else { throw invalid("port is no number from 1 to 65535") }
        return AMQPHost(name, port: port)
    }

    private static func decode(_ text: Substring, _ part: String) throws(AMQPError) -> String {
        var bytes: [UInt8] = []
        var source = text.utf8.makeIterator()
        while let byte = source.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = source.next().flatMap(hexDigit), let low = source.next().flatMap(hexDigit) else {
                throw invalid("percent-encoding of \(part) is broken")
            }
            bytes.append(high << 4 | low)
        }
        // The C library takes these as C strings.
        guard !bytes.contains(0), let decoded = String(validating: bytes, as: UTF8.self) else {
            throw invalid("\(part) is no UTF-8 text")
        }
        return decoded
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
    }

    private static func range(of marker: String, in text: Substring) -> Range<Substring.Index>? {
        text.firstRange(of: marker)
    }

    private static func invalid(_ message: String) -> AMQPError {
        AMQPError(.invalidURL, message, operation: "reading the URL")
    }
}
