import CPostgreSQL

/// What a statement gave back: a collection of rows. Rows are decoded when they are looked at.
public struct PostgresResult: Sendable, RandomAccessCollection {
    private let handle: ResultHandle

    init(_ handle: ResultHandle) { self.handle = handle }

    /// The first row's index.
    public var startIndex: Int { 0 }
    /// The number of rows.
    public var endIndex: Int { handle.rowCount }
    /// One row.
    public subscript(position: Int) -> PostgresRow {
        precondition(position >= 0 && position < endIndex, "no such row")  // libpq would hand out memory that is not the row's
        return PostgresRow(handle: handle, index: position)
    }

    /// All rows; the result itself.
    public var rows: PostgresResult { self }

    /// The columns' names.
    public var columns: [String] { (0..<handle.columnCount).map(handle.columnName) }

    /// The server's command tag, such as `INSERT 0 3`.
    public var commandTag: String { PQcmdStatus(handle.pointer).map { String(cString: $0) } ?? "" }

    /// How many rows were inserted, updated, deleted, or selected.
    public var affectedRows: Int { PQcmdTuples(handle.pointer).flatMap { Int(String(cString: $0)) } ?? 0 }
}
