import CPostgreSQL

/// Owns one of libpq's results.
///
/// Unchecked: libpq documents a `PGresult` as read-only after creation, so threads may read it at once ("Behavior in Threaded
/// Programs"); only `deinit` changes it, when nobody else holds it.
final class ResultHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { PQclear(pointer) }

    var rowCount: Int { Int(PQntuples(pointer)) }
    var columnCount: Int { Int(PQnfields(pointer)) }

    func columnName(_ column: Int) -> String {
        PQfname(pointer, Int32(column)).map { String(cString: $0) } ?? ""
    }

    func columnIndex(_ name: String) -> Int? {
        (0..<columnCount).first { column in columnName(column) == name }
    }

    func value(row: Int, column: Int) -> PostgresValue {
        let (row, column) = (Int32(row), Int32(column))
        let type = PostgresType(oid: PQftype(pointer, column))
        guard PQgetisnull(pointer, row, column) == 0, let start = PQgetvalue(pointer, row, column) else {
            return PostgresValue(type: type, memory: nil, owner: self)
        }
        let memory = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(pointer, row, column)))
        return PostgresValue(type: type, memory: memory, owner: self)
    }
}
