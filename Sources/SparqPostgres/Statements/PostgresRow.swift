/// One row of a result.
public struct PostgresRow: Sendable {
    private let handle: ResultHandle
    private let index: Int

    init(handle: ResultHandle, index: Int) {
        self.handle = handle
        self.index = index
    }

    /// The number of columns.
    public var count: Int { handle.columnCount }

    /// Reads the columns from left to right: `let (id, name) = try row.decode(Int.self, String?.self)`.
    ///
    /// - Throws: ``PostgresError`` with the code `decoding`, naming the column, where a type does not fit, a NULL meets a type that
    ///   is not optional, or there are fewer or more columns than types.
    public func decode<each Value: PostgresDecodable>(
        _ types: repeat (each Value).Type
    ) throws(PostgresError) -> (repeat each Value) {
        var wanted = 0
        for _ in repeat (each types) { wanted += 1 }
        guard wanted == count else {
            throw PostgresError(.decoding, "the row has \(count) columns, and \(wanted) were asked for")
        }
        var column = 0
        return (repeat try next(each types, &column))
    }

    /// Reads the only column.
    ///
    /// - Throws: ``PostgresError`` with the code `decoding`, like the form for several columns.
    public func decode<Value: PostgresDecodable>(_ type: Value.Type) throws(PostgresError) -> Value {
        guard count == 1 else { throw PostgresError(.decoding, "the row has \(count) columns, and 1 was asked for") }
        return try read(type, 0)
    }

    /// Reads one column by name.
    public func decode<Value: PostgresDecodable>(column name: String, as type: Value.Type = Value.self) throws(PostgresError) -> Value {
        guard let column = handle.columnIndex(name) else {
            throw PostgresError(.decoding, "the result has no column \(name)")
        }
        return try read(type, column)
    }

    /// The value in a column, or nil where the result has no such column.
    public subscript(name: String) -> PostgresValue? {
        handle.columnIndex(name).map { handle.value(row: index, column: $0) }
    }

    private func next<Value: PostgresDecodable>(_ type: Value.Type, _ column: inout Int) throws(PostgresError) -> Value {
        defer { column += 1 }
        return try read(type, column)
    }

    private func read<Value: PostgresDecodable>(_ type: Value.Type, _ column: Int) throws(PostgresError) -> Value {
        do {
            return try Value.decode(handle.value(row: index, column: column))
        } catch {
            var named = error
            named.column = handle.columnName(column)
            throw named
        }
    }
}
