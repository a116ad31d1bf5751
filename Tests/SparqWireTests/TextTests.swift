import SparqWire
import Testing

/// The texts themselves. Fronts, workers and clients of other versions read them, so they stay as they are, the order of keys too.
@Suite struct TextTests {
    private static func text(_ encode: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        encode(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static let body = Array(#"{"a":1}"#.utf8)[...]

    static let deliveries: [(Delivery, String)] = [
        (.event(Event(topic: "t", seq: 4, body: body)), #"{"kind":"event","topic":"t","seq":4,"body":{"a":1}}"#),
        (.event(Event(topic: "t", seq: nil, body: body)), #"{"kind":"event","topic":"t","body":{"a":1}}"#),
        (.done(Done(connection: "c", ordinal: 2)), #"{"kind":"done","connection":"c","n":2}"#),
        (
            .done(Done(connection: "c", ordinal: 2, reply: body, session: .begin(user: "u"))),
            #"{"kind":"done","connection":"c","n":2,"session":"begin","user":"u","body":{"a":1}}"#
        ),
        (.done(Done(connection: "c", ordinal: 2, session: .end)), #"{"kind":"done","connection":"c","n":2,"session":"end"}"#),
        (.postponed(connection: "c", ordinal: 2), #"{"kind":"postponed","connection":"c","n":2}"#),
        (.send(connection: "c", body: body), #"{"kind":"send","connection":"c","body":{"a":1}}"#),
        (.send(connection: "c", ordinal: 2, body: body), #"{"kind":"send","connection":"c","n":2,"body":{"a":1}}"#),
        (
            .subscribe(connection: "c", ordinal: 2, grants: [Grant(topic: "t", cursor: 3, head: 4)]),
            #"{"kind":"subscribe","connection":"c","n":2,"grants":[{"topic":"t","cursor":3,"head":4}]}"#
        ),
        (
            .unsubscribe(.connection("c"), ordinal: 2, topics: ["t", "v"]),
            #"{"kind":"unsubscribe","connection":"c","n":2,"topics":["t","v"]}"#
        ),
        (.unsubscribe(.user("u"), origin: "o", topics: ["t"]), #"{"kind":"unsubscribe","user":"u","origin":"o","topics":["t"]}"#),
        (
            .disconnect(.user("u"), origin: "o", code: 4003, reason: "r"),
            #"{"kind":"disconnect","user":"u","origin":"o","code":4003,"reason":"r"}"#
        ),
        (
            .page(Page(topic: "t", after: 1, first: 2, head: 3, version: 0, connection: "c", events: [body, body])),
            #"{"kind":"page","topic":"t","connection":"c","after":1,"first":2,"head":3,"version":0,"events":[{"a":1},{"a":1}]}"#
        ),
        (.synced(Synced(version: 7, behind: ["t"])), #"{"kind":"synced","version":7,"topics":["t"]}"#),
        (.lease(.resync), #"{"kind":"lease","answer":"resync"}"#),
        (.differs(Difference(buckets: [0, 9], topics: ["t"])), #"{"kind":"differs","buckets":[0,9],"topics":["t"]}"#),
    ]

    @Test(arguments: deliveries) func ofDeliveries(delivery: Delivery, line: String) throws {
        #expect(Self.text(delivery.encode) == line + "\n")
        #expect(try Delivery(line: Array(line.utf8)[...]) == delivery)
    }

    @Test func ofAnEnvelope() throws {
        let envelope = Envelope(
            node: "n",
            connection: "c",
            ordinal: 2,
            user: "u",
            address: "10.0.0.1",
            receivedAt: 5,
            type: "a",
            id: "i",
            message: Self.body
        )
        let line = #"{"node":"n","connection":"c","n":2,"user":"u","address":"10.0.0.1","at":5,"type":"a","id":"i","message":{"a":1}}"#
        #expect(Self.text(envelope.encode) == line + "\n")
    }

    static let requests: [(Envelope, String)] = [
        (
            Envelope(node: "n", at: 5, SyncRequest(version: 7, topics: ["t": 3], joined: ["t": 2], brief: true)),
            #"{"type":"$sync","version":7,"topics":{"t":3},"joined":{"t":2},"brief":true}"#
        ),
        (
            Envelope(node: "n", at: 5, SyncRequest(version: 7, topics: [:], joined: [:], brief: false)),
            #"{"type":"$sync","version":7,"topics":{}}"#
        ),
        (Envelope(node: "n", at: 5, LeaveRequest(version: 7, topics: ["t"])), #"{"type":"$leave","version":7,"topics":["t"]}"#),
        (
            Envelope(node: "n", at: 5, ReadRequest(topic: "t", after: 3, connection: "c")),
            #"{"type":"$read","topic":"t","after":3,"connection":"c"}"#
        ),
        (
            Envelope(
                node: "n",
                at: 5,
                LeaseRequest(incarnation: "i", version: 7, topicCount: 1, checksum: 9, settled: true, leaving: false, sums: [0, 9])
            ),
            #"{"type":"$lease","incarnation":"i","version":7,"topicCount":1,"checksum":9,"settled":true,"leaving":false,"sums":[0,9]}"#
        ),
        (Envelope(node: "n", at: 5, PresenceRequest(users: ["u", "v"])), #"{"type":"$presence","users":["u","v"]}"#),
    ]

    @Test(arguments: requests) func ofNodesRequests(envelope: Envelope, message: String) {
        #expect(String(decoding: envelope.message, as: UTF8.self) == message)
        #expect(message.hasPrefix("{\"type\":\"\(envelope.type)\""))
        #expect(envelope.connection == nil && envelope.user == nil && envelope.id == nil && envelope.receivedAt == 5)
    }

    @Test func ofAConnectionsBeginAndEnd() {
        let request = ConnectRequest(agent: "Firefox", ip: "10.0.0.1", resume: true)
        #expect(Self.text(request.encode) == #"{"type":"$connect","agent":"Firefox","ip":"10.0.0.1","resume":true}"#)
        #expect(Self.text(ConnectRequest(agent: nil, ip: nil, resume: nil).encode) == #"{"type":"$connect"}"#)
        #expect(Self.text(DisconnectRequest().encode) == #"{"type":"$disconnect"}"#)
    }

    @Test func ofNamesAtTheBroker() {
        #expect(BrokerHeaders.attempt == "sparq-attempt" && BrokerHeaders.unawaited == "sparq-unawaited")
        #expect(BrokerHeaders.deaths == "sparq-deaths")
    }
}
