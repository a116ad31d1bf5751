import Testing

@testable import SparqPostgres

/// The table of error codes.
@Suite struct CauseTests {
    private func error(_ state: String?, _ code: PostgresError.Code = .server) -> PostgresError {
        var error = PostgresError(code, "")
        error.sqlState = state
        return error
    }

    @Test(arguments: [
        ("40001", PostgresError.Cause.conflict), ("40P01", .conflict),
        ("58030", .outage), ("53100", .outage), ("53200", .outage), ("53300", .outage), ("57P03", .outage), ("25006", .outage),
        ("08006", .outage), ("72000", .outage), ("F0000", .outage), ("HV000", .outage),
        ("57014", .slowness), ("25P03", .slowness), ("55P03", .slowness), ("55006", .slowness),
        ("XX000", .defect), ("XX001", .defect), ("XX002", .defect), ("54000", .defect), ("ZZ999", .defect),
        ("42P01", .schema), ("42501", .schema), ("42883", .schema), ("3F000", .schema), ("28000", .schema), ("55000", .schema),
        ("22021", .data), ("23505", .data), ("23514", .data), ("54001", .data), ("54011", .data), ("54023", .data), ("P0001", .data),
        ("25P02", .usage),
    ])
    func theClassSaysWhereTheCauseLies(_ state: String, _ cause: PostgresError.Cause) {
        #expect(error(state).cause == cause)
    }

    @Test func withoutAStateTheKindOfFailureDoes() {
        for code in [PostgresError.Code.connectionLost, .connectionFailed, .poolTimeout, .timeout] {
            #expect(error(nil, code).cause == .outage)
        }
        #expect(error("XX000", .connectionLost).cause == .outage, "a server that crashed")
        #expect(error("25P03", .connectionLost).cause == .slowness)
        #expect(error(nil, .poolClosed).cause == .shutdown)
        #expect(error(nil, .encoding).cause == .data)
        #expect(error(nil, .decoding).cause == .usage)
        #expect(error(nil).cause == .defect)
    }
}
