/// What came back over HTTP.
public struct HTTPAnswer: Equatable, Sendable {
    /// The status, like 200.
    public let status: Int
    /// Header fields in their order, names in lower case.
    public let headers: [Header]
    /// The body's bytes.
    public let body: [UInt8]

    /// One header field.
    public struct Header: Equatable, Sendable {
        /// In lower case.
        public let name: String
        /// As it came.
        public let value: String
    }

    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The cookies that it sets, by name, without their attributes.
    public var cookies: [String: String] {
        var cookies: [String: String] = [:]
        for header in headers where header.name == "set-cookie" {
            let pair = header.value.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { cookies[String(pair[0])] = String(pair[1]) }
        }
        return cookies
    }
}
