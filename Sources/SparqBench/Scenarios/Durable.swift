/// Appends to rooms, one room for each sender. A message is complete when its reply is there, its event has come back to the sender, and to
/// one more subscriber at another front.
public struct Durable: Sendable {
    var fronts: [Address]
    var connections: Int
    var settings: LoadSettings

    /// A measurement; nothing runs yet.
    public init(fronts: [Address], connections: Int, settings: LoadSettings) {
        self.fronts = fronts
        self.connections = connections
        self.settings = settings
    }

    /// Measures.
    public func run() throws -> BenchResult {
        let user = try BenchUser(at: fronts[0])
        let tag = Tag()
        try user.makeRooms((0..<connections).map(tag.room), at: fronts[0])
        let fleet = try Fleet()
        let topic = { (index: Int) in "room:\(tag.room(index))" }
        try fleet.open(connections, at: [fronts[0]], session: user.token, topic: topic)
        try fleet.open(connections, at: [fronts[fronts.count - 1]], session: user.token, topic: topic)
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
        parameters["fronts"] = "\(fronts.count)"
        var result = BenchResult("durable", parameters)
        try LoadRun(settings, fleet: fleet, lanes: lanes, listeners: listeners).run(&result)
        return result
    }
}
