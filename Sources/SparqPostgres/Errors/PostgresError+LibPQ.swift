import CPostgreSQL

extension PostgresError {
    /// The error that a result of libpq carries.
    ///
    /// A severity of FATAL or PANIC ends the session, whatever the SQLSTATE (PostgreSQL, "Error and Notice Message Fields").
    init(result: OpaquePointer, connectionIsBroken: Bool) {
        func field(_ identifier: Character) -> String? {
            guard let ascii = identifier.asciiValue, let text = PQresultErrorField(result, Int32(ascii)) else { return nil }
            return String(cString: text)
        }
        let severity = field("V")
        let lost = connectionIsBroken || severity == "FATAL" || severity == "PANIC"
        let whole = PQresultErrorMessage(result).map { String(cString: $0) } ?? ""
        self.init(lost ? .connectionLost : .server, field("M") ?? PostgresError.firstLine(whole))
        sqlState = field("C")
        detail = field("D")
        hint = field("H")
        schema = field("s")
        table = field("t")
        column = field("c")
        constraint = field("n")
        position = field("P").flatMap { Int($0) }
        isOutcomeUnknown = lost
        // The state is that of many limits, such as a server that takes no writes until it is vacuumed.
        isTooLargeForIndex =
            sqlState == "54000"
            && (constraint != nil || field("R").map { $0.hasPrefix("index_form_tuple") || $0.hasPrefix("Gin") } ?? false)
        isStalePlan = sqlState == "0A000" && field("R") == "RevalidateCachedQuery"
    }

    /// The last error that libpq noted for a connection.
    static func lastMessage(of connection: OpaquePointer) -> String {
        firstLine(PQerrorMessage(connection).map { String(cString: $0) } ?? "")
    }

    /// libpq's messages go over several lines; the first says what happened.
    private static func firstLine(_ text: String) -> String {
        text.split(separator: "\n").first.map(String.init) ?? "no message"
    }
}
