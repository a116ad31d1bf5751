/// One sender, many receivers over all fronts. Deliveries are what counts.
public struct Fanout: Sendable {
    var fronts: [Address]
    var receivers: Int
    var settings: LoadSettings

    /// A measurement; nothing runs yet.
    public init(fronts: [Address], receivers: Int, settings: LoadSettings) {
        self.fronts = fronts
        self.receivers = receivers
        self.settings = settings
    }

    /// Measures.
    public func run() throws -> BenchResult {
        let user = try BenchUser(at: fronts[0])
        let tag = Tag()
        try user.makeRooms([tag.room(0)], at: fronts[0])
        let fleet = try Fleet()
        try fleet.open(1, at: [fronts[0]], session: user.token)
        try fleet.open(receivers, at: fronts, session: user.token, topics: { _ in ["room:\(tag.room(0))"] })
        try fleet.settle(settings.processes)
        // The reply is not counted: it would be one delivery more.
        let lane = Lane(sender: 0, template: tag.roomMessage(0, bytes: settings.bytes), audience: receivers)
        let listener = Listener(lane: 0, replyPrefix: [], eventPrefix: tag.eventPrefix(0), nextReply: -1, nextEvent: 0)
        let sender = Listener(lane: 0, replyPrefix: [], eventPrefix: [], nextReply: -1, nextEvent: -1)
        var result = BenchResult("fanout", parameters)
        let run = LoadRun(
            settings,
            fleet: fleet,
            lanes: [lane],
            listeners: [sender] + Array(repeating: listener, count: receivers),
            countsDeliveries: true
        )
        try run.run(&result)
        if let writes = result.figures["front_writes"], writes > 0 { result.figures["frames_per_write"] = Double(result.count) / writes }
        result.figures["messages_per_second"] = result.rate / Double(receivers)
        return result
    }

    /// The yardstick: a program that only sends the same frames to as many sockets, `joined` of them with one `send`, read by the same
    /// generator.
    public func runBare(program: String, joined: Int) throws -> BenchResult {
        let child = try BareSenderProcess(program: program, receivers: receivers, bytes: settings.bytes, joined: joined)
        defer { child.stop() }
        let fleet = try Fleet()
        try fleet.open(receivers, at: [child.address], session: nil)
        let lane = Lane(sender: nil, template: MessageTemplate("{}"), audience: receivers)
        let listener = Listener(lane: 0, replyPrefix: [], eventPrefix: BareFrames.prefix, nextReply: -1, nextEvent: 1)
        var settings = settings
        settings.processes.groups = [("sender", [child.pid])]
        var parameters = parameters
        parameters["joined"] = "\(joined)"
        parameters["window"] = nil
        var result = BenchResult("fanout-bare", parameters)
        let run = LoadRun(
            settings,
            fleet: fleet,
            lanes: [lane],
            listeners: Array(repeating: listener, count: receivers),
            countsDeliveries: true
        )
        try run.run(&result)
        return result
    }

    private var parameters: [String: String] {
        var parameters = settings.parameters
        parameters["receivers"] = "\(receivers)"
        parameters["fronts"] = "\(fronts.count)"
        return parameters
    }
}
