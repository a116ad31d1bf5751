/// Messages with a reply and no commit: what the path from socket to handler and back carries.
public struct Echo: Sendable {
    /// The type that a worker with `SPARQ_BENCH=true` answers.
    public static let type = "bench.echo"

    var fronts: [Address]
    var connections: Int
    /// Whether each connection subscribes to a room of its own, in which nothing happens.
    var hasRooms: Bool
    var settings: LoadSettings

    /// A measurement; nothing runs yet.
    public init(fronts: [Address], connections: Int, hasRooms: Bool = false, settings: LoadSettings) {
        self.fronts = fronts
        self.connections = connections
        self.hasRooms = hasRooms
        self.settings = settings
    }

    /// Measures.
    public func run() throws -> BenchResult {
        let user = try BenchUser(at: fronts[0])
        let tag = Tag()
        if hasRooms { try user.makeRooms((0..<connections).map(tag.room), at: fronts[0]) }
        let fleet = try Fleet()
        try fleet.open(connections, at: fronts, session: user.token, topics: { hasRooms ? ["room:\(tag.room($0))"] : [] })
        try fleet.settle(settings.processes)
        let lanes = (0..<connections).map { index in
            Lane(sender: index, template: Self.template(tag.lane(index), bytes: settings.bytes), audience: 1)
        }
        let listeners = (0..<connections).map { index in
            Listener(lane: index, replyPrefix: tag.replyPrefix(index), eventPrefix: [], nextReply: 0, nextEvent: -1)
        }
        var parameters = settings.parameters
        parameters["connections"] = "\(connections)"
        parameters["fronts"] = "\(fronts.count)"
        if hasRooms { parameters["topics"] = "1" }
        var result = BenchResult("echo", parameters)
        try LoadRun(settings, fleet: fleet, lanes: lanes, listeners: listeners).run(&result)
        return result
    }

    static func template(_ id: String, bytes: Int) -> MessageTemplate {
        let start = "{\"type\":\"\(type)\",\"id\":\"\(id)#########\",\"pad\":\""
        return MessageTemplate(start + String(repeating: "x", count: max(0, bytes - start.utf8.count - 2)) + "\"}")
    }
}

/// Tells one run's messages from those of all others.
struct Tag {
    private let text = String(UInt32.random(in: 1 << 24..<1 << 30), radix: 36)

    /// What the ids of a lane's messages begin with.
    func lane(_ index: Int) -> String { "\(text)-\(index)-" }

    func replyPrefix(_ index: Int) -> [UInt8] { Array("{\"re\":\"\(lane(index))".utf8) }

    func room(_ index: Int) -> String { "bench-\(text)-\(index)" }

    func eventPrefix(_ index: Int) -> [UInt8] { Array("{\"type\":\"room.message\",\"topic\":\"room:\(room(index))\",\"seq\":".utf8) }

    func roomMessage(_ index: Int, bytes: Int) -> MessageTemplate {
        let start = "{\"type\":\"room.send\",\"id\":\"\(lane(index))#########\",\"room\":\"\(room(index))\",\"text\":\"n#########"
        return MessageTemplate(start + String(repeating: "x", count: max(0, bytes - start.utf8.count - 2)) + "\"}")
    }
}
