/// All that any kind of delivery's line may hold. It is read in one pass; each word then takes what is its own.
struct DeliveryFields {
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
        var fields = DeliveryFields()
        try JSONCursor.readObject(line) { key, cursor, bytes throws(JSONError) in
            // The names of what comes for every message; comparing texts would cost more than all else here.
            if JSONCursor.matches(key, "kind", in: bytes) {
                fields.kind = try cursor.text(in: bytes)
                return
            } else if JSONCursor.matches(key, "body", in: bytes) {
                fields.body = line.slice(try cursor.skipValue())
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
                try cursor.elements { cursor throws(JSONError) in fields.events.append(line.slice(try cursor.skipValue())) }
            case "grants":
                try cursor.elements { cursor throws(JSONError) in fields.grants.append(try Grant(decoding: &cursor, in: bytes)) }
            default: try cursor.skipValue()
            }
        }
        self = fields
    }

    private init() {}

    /// What must be there.
    func required<Value>(_ value: Value?) throws(JSONError) -> Value {
        guard let value else { throw JSONError(.missingKey, at: 0) }
        return value
    }
}
