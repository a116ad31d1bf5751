extension Delivery {
    /// Reads one line. Keys come in any order; unknown ones are passed over.
    public init(line: ArraySlice<UInt8>) throws(JSONError) {
        let fields = try Fields(line: line)
        switch fields.kind {
        case "event":
            self = .event(Event(topic: try fields.required(fields.topic), seq: fields.seq, body: try fields.required(fields.body)))
        case "done":
            let session: Done.SessionChange? =
                switch fields.session {
                case "begin": .begin(user: try fields.required(fields.user))
                case "end": .end
                default: nil
                }
            self = .done(
                Done(
                    connection: try fields.required(fields.connection),
                    ordinal: try fields.required(fields.ordinal),
                    reply: fields.body,
                    session: session
                )
            )
        case "postponed":
            self = .postponed(connection: try fields.required(fields.connection), ordinal: try fields.required(fields.ordinal))
        case "send":
            self = .send(
                connection: try fields.required(fields.connection),
                ordinal: fields.ordinal,
                body: try fields.required(fields.body)
            )
        case "subscribe":
            self = .subscribe(connection: try fields.required(fields.connection), ordinal: fields.ordinal, grants: fields.grants)
        case "unsubscribe":
            self = .unsubscribe(try fields.target(), ordinal: fields.ordinal, origin: fields.origin, topics: fields.topics)
        case "disconnect":
            self = .disconnect(
                try fields.target(),
                ordinal: fields.ordinal,
                origin: fields.origin,
                code: try fields.required(fields.code),
                reason: fields.reason ?? ""
            )
        case "page":
            self = .page(
                Page(
                    topic: try fields.required(fields.topic),
                    after: try fields.required(fields.after),
                    first: try fields.required(fields.first),
                    head: try fields.required(fields.head),
                    version: fields.version ?? 0,
                    connection: fields.connection,
                    events: fields.events
                )
            )
        case "synced": self = .synced(Synced(version: try fields.required(fields.version), behind: fields.topics))
        case "lease":
            guard let answer = LeaseAnswer(rawValue: fields.answer ?? "") else { throw JSONError(.wrongKind, at: 0) }
            self = .lease(answer)
        case "differs": self = .differs(Difference(buckets: fields.buckets, topics: fields.topics))
        default: throw JSONError(.wrongKind, at: 0)
        }
    }

    /// All that any kind of line may hold.
    private struct Fields {
        var kind = ""
        var topic: String?
        var connection: String?
        var user: String?
        var session: String?
        var reason: String?
        var answer: String?
        var origin: String?
        var seq: Int?
        var ordinal: Int?
        var code: Int?
        var after: Int?
        var first: Int?
        var head: Int?
        var version: Int?
        var body: ArraySlice<UInt8>?
        var topics: [String] = []
        var buckets: [Int] = []
        var grants: [Grant] = []
        var events: [ArraySlice<UInt8>] = []

        init(line: ArraySlice<UInt8>) throws(JSONError) {
            var fields = Fields()
            try NDJSON.readObject(line) { key, cursor, bytes throws(JSONError) in
                // The names of what comes for every message; comparing texts would cost more than all else here.
                if JSONCursor.matches(key, "kind", in: bytes) {
                    fields.kind = try cursor.text(in: bytes)
                    return
                } else if JSONCursor.matches(key, "body", in: bytes) {
                    fields.body = line.slice(try Self.valueRange(&cursor))
                    return
                } else if JSONCursor.matches(key, "connection", in: bytes) {
                    fields.connection = try cursor.text(in: bytes)
                    return
                } else if JSONCursor.matches(key, "n", in: bytes) {
                    fields.ordinal = try cursor.integer(in: bytes)
                    return
                } else if JSONCursor.matches(key, "topic", in: bytes) {
                    fields.topic = try cursor.text(in: bytes)
                    return
                } else if JSONCursor.matches(key, "seq", in: bytes) {
                    fields.seq = try cursor.integer(in: bytes)
                    return
                }
                switch JSONCursor.text(key, in: bytes) {
                case "user": fields.user = try cursor.text(in: bytes)
                case "session": fields.session = try cursor.text(in: bytes)
                case "reason": fields.reason = try cursor.text(in: bytes)
                case "answer": fields.answer = try cursor.text(in: bytes)
                case "origin": fields.origin = try cursor.text(in: bytes)
                case "code": fields.code = try cursor.integer(in: bytes)
                case "after": fields.after = try cursor.integer(in: bytes)
                case "first": fields.first = try cursor.integer(in: bytes)
                case "head": fields.head = try cursor.integer(in: bytes)
                case "version": fields.version = try cursor.integer(in: bytes)
                case "topics":
                    try cursor.elements { cursor throws(JSONError) in fields.topics.append(try cursor.text(in: bytes)) }
                case "buckets":
                    try cursor.elements { cursor throws(JSONError) in fields.buckets.append(try cursor.integer(in: bytes)) }
                case "events":
                    try cursor.elements { cursor throws(JSONError) in fields.events.append(line.slice(try Self.valueRange(&cursor))) }
                case "grants":
                    try cursor.elements { cursor throws(JSONError) in fields.grants.append(try Self.grant(&cursor, bytes)) }
                default: try cursor.skipValue()
                }
            }
            self = fields
        }

        private init() {}

        private static func valueRange(_ cursor: inout JSONCursor) throws(JSONError) -> Range<Int> {
            try cursor.skipValue()
        }

        private static func grant(_ cursor: inout JSONCursor, _ bytes: UnsafeRawBufferPointer) throws(JSONError) -> Grant {
            var grant = Grant(topic: "", cursor: 0, head: 0)
            try cursor.members(in: bytes) { key, cursor throws(JSONError) in
                switch JSONCursor.text(key, in: bytes) {
                case "topic": grant.topic = try cursor.text(in: bytes)
                case "cursor": grant.cursor = try cursor.integer(in: bytes)
                case "head": grant.head = try cursor.integer(in: bytes)
                default: try cursor.skipValue()
                }
            }
            return grant
        }

        func required<Value>(_ value: Value?) throws(JSONError) -> Value {
            guard let value else { throw JSONError(.missingKey, at: 0) }
            return value
        }

        func target() throws(JSONError) -> Target {
            if let connection { return .connection(connection) }
            return .user(try required(user))
        }
    }
}
