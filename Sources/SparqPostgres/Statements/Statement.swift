/// SQL with parameters `$1`, `$2`, …, which travel apart from the text and so are never read as SQL.
public struct Statement: Sendable {
    /// The SQL text; one statement.
    public let sql: String
    /// Whether the server prepares it, once per connection, when it is first used there. Turn it off for text that never comes again.
    public var isPrepared = true

    /// The parameters' types.
    let types: [UInt32]
    /// Where each parameter lies in ``bytes``; nil is NULL.
    let ranges: [Range<Int>?]
    /// All parameters' binary form. One byte longer than needed, so that an empty value has an address too.
    let bytes: [UInt8]
    /// Why it cannot be sent, told when it is run.
    let failure: PostgresError?

    /// A statement with its parameters, which are encoded here; what cannot be encoded is reported when the statement is run.
    public init(_ sql: String, _ parameters: any PostgresEncodable...) {
        self.init(sql, parameters: parameters)
    }

    /// The same, with the parameters in an array.
    public init(_ sql: String, parameters: [any PostgresEncodable]) {
        var writer = ParameterWriter()
        var types: [UInt32] = []
        var ranges: [Range<Int>?] = []
        var failure: PostgresError?
        if sql.utf8.contains(0) { failure = PostgresError(.encoding, "the SQL text contains the character U+0000") }
        if parameters.count > 65535 { failure = PostgresError(.encoding, "more than 65535 parameters; use arrays") }
        for (index, parameter) in parameters.enumerated() where failure == nil {
            let start = writer.bytes.count
            do {
                let present = try parameter.encode(into: &writer)
                types.append(type(of: parameter).postgresType.oid)
                ranges.append(present ? start..<writer.bytes.count : nil)
                if writer.bytes.count - start > Int(Int32.max) {
                    failure = PostgresError(.encoding, "parameter $\(index + 1) is longer than 2 GiB")
                }
            } catch {
                failure = PostgresError(.encoding, "parameter $\(index + 1): \(error.message)")
            }
        }
        writer.write(CollectionOfOne(0))
        self.sql = sql
        self.types = types
        self.ranges = ranges
        self.bytes = writer.bytes
        self.failure = failure
    }

    /// The same statement, sent without being prepared.
    public func unprepared() -> Statement {
        var copy = self
        copy.isPrepared = false
        return copy
    }
}
