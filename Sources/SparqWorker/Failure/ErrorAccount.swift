import Logging
import SparqPostgres

extension Error {
    /// What a log line says of it; with what an operator can do, where only an operator can do something.
    var account: Logger.Metadata {
        guard let error = self as? PostgresError, error.cause == .schema || error.sqlState == "25006" else { return ["error": "\(self)"] }
        return ["error": "\(error)", "advice": "\(error.advice)"]
    }
}
