import Foundation
import Synchronization

/// How long bystanders wait while somebody else is a nuisance: half of them send echoes, half messages to rooms of their own, at a modest rate.
public struct Neighbours: Sendable {
    private static let attacks: KeyValuePairs<String, any Attack> = [
        "names": RefusedNames(), "pings": PingFlood(), "logins": LoginFlood(), "joins": RoomJoins(), "lock": LockedTable(),
        "hang": HangingHandler(), "lane": SilentLane(), "slow": SlowFront(), "oversized": OversizedMessages(),
    ]
    /// What the measurement without an attack is called.
    public static let quiet = "quiet"
    /// All that can be measured; the first is the yardstick of the others.
    public static var names: [String] { [quiet] + attacks.map { $0.key } }

    var fronts: [Address]
    var connections: Int
    var settings: LoadSettings
    /// One of ``names``.
    var attack: String
    var lastFront: Int?
    var database: String?

    /// A measurement; nothing runs yet.
    ///
    /// - Parameters:
    ///   - settings: The pace is a rate, so that a message which has to wait counts from when it was due.
    ///   - lastFront: The process of the last front, which one of the attacks stops now and then.
    ///   - database: Its address without a password, for the attack that locks a table; `psql` gets the password from the environment.
    public init(attack: String, fronts: [Address], connections: Int, settings: LoadSettings, lastFront: Int?, database: String?) throws {
        guard Self.names.contains(attack) else { throw BenchError("\"\(attack)\" is none of \(Self.names.joined(separator: ", "))") }
        self.attack = attack
        self.fronts = fronts
        self.connections = connections
        self.settings = settings
        self.lastFront = lastFront
        self.database = database
    }

    /// Measures.
    public func run() throws -> BenchResult {
        let attack = Self.attacks.first { $0.key == self.attack }?.value
        let user = try BenchUser(at: fronts[0])
        let stage = AttackStage(
            fronts: fronts,
            attacker: try BenchUser(at: fronts[0]),
            tag: Tag(),
            lastFront: lastFront,
            database: database
        )
        let tag = Tag()
        let rooms = (0..<connections).map { $0.isMultiple(of: 2) ? [] : [tag.room($0)] }
        try user.makeRooms(rooms.flatMap(\.self), at: fronts[0])
        let fleet = try Fleet()
        try fleet.open(
            connections,
            at: attack?.bystanders(of: stage) ?? fronts,
            session: user.token,
            topics: { rooms[$0].map { "room:\($0)" } }
        )
        var result = BenchResult("neighbours", settings.parameters)
        result.parameters["attack"] = self.attack
        result.parameters["title"] = attack?.title ?? "quiet"
        result.parameters["connections"] = "\(connections)"
        let running = attack.map { RunningAttack($0, stage) }
        defer { _ = running?.stop() }
        for (index, socket) in fleet.sockets.enumerated() { if let word = attack?.said(by: index) { socket.send(word) } }
        let (lanes, listeners) = bystanders(tag, rooms)
        try LoadRun(settings, fleet: fleet, lanes: lanes, listeners: listeners).run(&result)
        if let outcome = running?.stop() {
            switch outcome {
            case .success(let tally):
                result.figures["attack_said"] = Double(tally.said)
                result.figures["attack_refused"] = Double(tally.refused)
                result.figures["attack_closed"] = Double(tally.closed)
            case .failure(let error):
                throw BenchError("the attack failed: \(error)")
            }
        }
        return result
    }

    private func bystanders(_ tag: Tag, _ rooms: [[String]]) -> ([Lane], [Listener]) {
        let lanes = rooms.enumerated().map { index, rooms in
            Lane(
                sender: index,
                template: rooms.isEmpty
                    ? Echo.template(tag.lane(index), bytes: settings.bytes)
                    : tag.roomMessage(index, bytes: settings.bytes),
                audience: rooms.isEmpty ? 1 : 2
            )
        }
        let listeners = rooms.enumerated().map { index, rooms in
            Listener(
                lane: index,
                replyPrefix: tag.replyPrefix(index),
                eventPrefix: rooms.isEmpty ? [] : tag.eventPrefix(index),
                nextReply: 0,
                nextEvent: rooms.isEmpty ? -1 : 0
            )
        }
        return (lanes, listeners)
    }
}

/// An attack on a thread of its own.
private final class RunningAttack: Sendable {
    private let sign = StopSign()
    private let end = DispatchGroup()
    private let outcome = Mutex<Result<AttackTally, any Error>>(.success(AttackTally()))

    init(_ attack: any Attack, _ stage: AttackStage) {
        end.enter()
        Thread.detachNewThread { [self] in
            let result = Result { try attack.run(stage, until: sign) }
            outcome.withLock { $0 = result }
            end.leave()
        }
    }

    func stop() -> Result<AttackTally, any Error> {
        sign.set()
        end.wait()
        return outcome.withLock { $0 }
    }
}
