/// Appends to rooms, one room for each sender. A message is complete when its reply is there, its event has come back to the sender, and to
/// one more subscriber at another front. The senders are at the first half of the fronts, the other subscribers at the rest.
public struct Durable: Sendable {
    var fronts: [Address]
    var connections: Int
    /// Topics of each connection: its own room, and others in which nothing happens, shared with nobody but its other subscriber.
    var topics: Int
    var settings: LoadSettings

    /// A measurement; nothing runs yet.
    public init(fronts: [Address], connections: Int, topics: Int = 1, settings: LoadSettings) {
        self.fronts = fronts
        self.topics = topics
        self.connections = connections
        self.settings = settings
    }

    /// Measures.
    public func run() throws -> BenchResult {
        let user = try BenchUser(at: fronts[0])
        let tag = Tag()
        // A connection's own room stands last among its topics.
        let rooms = { (index: Int) in (1..<topics).map { tag.room(connections * $0 + index) } + [tag.room(index)] }
        try user.makeRooms((0..<connections).flatMap(rooms), at: fronts[0])
        let fleet = try Fleet()
        let names = { (index: Int) in rooms(index).map { "room:\($0)" } }
        let half = max(1, fronts.count / 2)
        try fleet.open(connections, at: Array(fronts[..<half]), session: user.token, topics: names)
        try fleet.open(connections, at: Array(fronts.suffix(max(1, fronts.count - half))), session: user.token, topics: names)
        try fleet.settle(settings.processes)
        let lanes = (0..<connections).map { index in
            Lane(sender: index, template: tag.roomMessage(index, bytes: settings.bytes), audience: 3)
        }
        let listeners = (0..<(2 * connections)).map { index in
            let lane = index % connections
            return Listener(
                lane: lane,
                replyPrefix: index < connections ? tag.replyPrefix(lane) : [],
                eventPrefix: tag.eventPrefix(lane),
                nextReply: index < connections ? 0 : -1,
                nextEvent: 0
            )
        }
        var parameters = settings.parameters
        parameters["connections"] = "\(connections)"
        parameters["topics"] = "\(topics)"
        parameters["fronts"] = "\(fronts.count)"
        var result = BenchResult("durable", parameters)
        try LoadRun(settings, fleet: fleet, lanes: lanes, listeners: listeners).run(&result)
        return result
    }
}
