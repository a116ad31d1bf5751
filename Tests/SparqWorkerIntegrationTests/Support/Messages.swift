import SparqPostgres
import SparqWire
import SparqWorker

struct Note: EventData, Decodable {
    static let eventType = "note"
    var n: Int
}

/// Of a type that PostgreSQL's text does not hold.
struct Unstorable: EventData {
    static let eventType = "poi\u{0}son"
}

struct Post: Decodable, Sendable {
    var topic: String
    var n: Int
}

extension Router {
    /// `post` appends to a topic, `echo` only answers.
    static var posting: Router {
        var router = Router()
        router.on("post", Post.self) { message, _ in
            [.append(to: Topic(rawValue: message.topic), Note(n: message.n)), .reply(Note(n: message.n))]
        }
        router.on("echo", RawMessage.self) { message, _ in [.reply(RawJSON(message.json))] }
        router.onSubscribe(kind: "room") { topic, _ in
            if topic.id == "secret" { throw Refusal(.forbidden, "No.") }
        }
        return router
    }
}

func envelope(
    _ type: String,
    _ json: String,
    node: String = "n1",
    connection: String? = "c1",
    ordinal: Int = 1,
    user: String? = "alice",
    id: String? = nil
) -> Envelope {
    Envelope(
        node: node,
        connection: connection,
        ordinal: ordinal,
        user: user,
        receivedAt: 1,
        type: type,
        id: id,
        message: Array(json.utf8)[...]
    )
}

func post(_ topic: String, _ n: Int, connection: String = "c1", ordinal: Int = 1, user: String = "alice", id: String? = nil) -> Envelope {
    envelope("post", #"{"topic":"\#(topic)","n":\#(n)}"#, connection: connection, ordinal: ordinal, user: user, id: id)
}

func sync(_ topics: [String: Int], version: Int, node: String = "n1") -> Envelope {
    let fields = topics.map { #""\#($0.key)":\#($0.value)"# }.joined(separator: ",")
    return envelope("$sync", #"{"version":\#(version),"topics":{\#(fields)}}"#, node: node, connection: nil, user: nil)
}

/// Of a node that has had its topics since the versions of `joined`, and knows brief answers.
func sync(_ topics: [String: Int], joined: [String: Int], version: Int, node: String = "n1") -> Envelope {
    func object(_ members: [String: Int]) -> String { "{" + members.map { #""\#($0.key)":\#($0.value)"# }.joined(separator: ",") + "}" }
    let fields = #"{"version":\#(version),"topics":\#(object(topics)),"joined":\#(object(joined)),"brief":true}"#
    return envelope("$sync", fields, node: node, connection: nil, user: nil)
}

func leave(_ topics: [String], version: Int, node: String = "n1") -> Envelope {
    let names = topics.map { #""\#($0)""# }.joined(separator: ",")
    return envelope("$leave", #"{"version":\#(version),"topics":[\#(names)]}"#, node: node, connection: nil, user: nil)
}

func lease(_ topics: [String], version: Int = 1, incarnation: String = "i1", settled: Bool = true, node: String = "n1") -> Envelope {
    let sum = topics.reduce(0) { $0 + TopicChecksum.part($1) }
    let fields = #""incarnation":"\#(incarnation)","version":\#(version),"topicCount":\#(topics.count),"checksum":\#(sum)"#
    return envelope("$lease", #"{\#(fields),"settled":\#(settled),"leaving":false}"#, node: node, connection: nil, user: nil)
}

extension ArraySlice<UInt8> {
    var text: String { String(decoding: self, as: UTF8.self) }
}
