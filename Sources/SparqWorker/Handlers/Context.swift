public import SparqPostgres
import SparqWire

/// What a handler knows of the message beside its fields.
public struct Context: Sendable {
    /// Who sent it; `nil` for anonymous clients.
    public let userID: String?
    /// The connection that it came from; `nil` where a node itself speaks.
    public let connection: String?
    /// Where it came from, as far as it tells people apart: of an IPv6 address the first 64 bits. `nil` where no front knows.
    public let address: String?
    /// The node that the connection is at.
    public let node: String
    /// The message's `type`.
    public let type: String
    /// The client's `id` of the message.
    public let messageID: String?
    /// When the front received it: milliseconds since the Unix epoch.
    public let time: Int
    /// 1 at first; grows where a handler threw ``TransientFailure``.
    public let attempt: Int

    /// The database, for reads outside of any transaction. Writes belong to `onTransaction` handlers: only these happen exactly once. A statement that
    /// takes long while others wait may be cancelled and run again.
    ///
    /// In tests that have no database every statement throws ``DatabaseMissing``.
    public let database: any PostgresExecutor

    /// Who sent it. For handlers with the access ``Access/user``, to which nobody anonymous comes; empty for anonymous clients.
    public var user: String { userID ?? "" }

    /// Hears how long its reads wait for their turn.
    let listener: PostgresShare.WaitListener?
    let memo: LoadMemo?
    /// Nothing came together with the message, and its handler asks for one thing at a time.
    let asksAlone: Bool

    package init(
        userID: String?,
        connection: String?,
        address: String? = nil,
        node: String,
        type: String,
        messageID: String?,
        time: Int,
        attempt: Int,
        database: any PostgresExecutor,
        listener: PostgresShare.WaitListener? = nil,
        memo: LoadMemo? = nil,
        asksAlone: Bool = false
    ) {
        self.address = address
        self.userID = userID
        self.connection = connection
        self.node = node
        self.type = type
        self.messageID = messageID
        self.time = time
        self.attempt = attempt
        self.database = database
        self.listener = listener
        self.memo = memo
        self.asksAlone = asksAlone
    }

    /// The same, with another way to the database.
    func asking(_ database: any PostgresExecutor) -> Context {
        Context(
            userID: userID,
            connection: connection,
            address: address,
            node: node,
            type: type,
            messageID: messageID,
            time: time,
            attempt: attempt,
            database: database,
            memo: memo,
            asksAlone: asksAlone
        )
    }

    /// What is known of a message.
    init(
        _ envelope: Envelope,
        attempt: Int,
        database: any PostgresExecutor,
        listener: PostgresShare.WaitListener? = nil,
        memo: LoadMemo? = nil,
        asksAlone: Bool = false
    ) {
        self.init(
            userID: envelope.user,
            connection: envelope.connection,
            address: envelope.address,
            node: envelope.node,
            type: envelope.type,
            messageID: envelope.id,
            time: envelope.receivedAt,
            attempt: attempt,
            database: database,
            listener: listener,
            memo: memo,
            asksAlone: asksAlone
        )
    }
}

/// A handler asked for the database where there is none: in a test without one.
public struct DatabaseMissing: Error, CustomStringConvertible {
    package init() {}

    /// One sentence.
    public var description: String { "The handler needs a database, and this test has none." }
}

/// Stands where a database would; refuses every statement.
package struct NoDatabase: PostgresExecutor {
    package init() {}

    package func run(_ statement: Statement) async throws -> PostgresResult { throw DatabaseMissing() }

    package func pipeline(_ statements: [Statement]) async throws -> [Result<PostgresResult, PostgresError>] { throw DatabaseMissing() }
}
