/// Clients that say something again and again, whatever comes back. When the server closes one of them they all come anew.
struct Crowd {
    var stage: AttackStage
    /// Where they are.
    var fronts: [Address]
    var count: Int
    /// Seconds between two words of each. Whoever has not got rid of one yet passes over the next.
    var interval: Double
    /// Whether they come anew for each word.
    var isFresh = false
    /// What each is subscribed to.
    var topics: [String] = []

    init(_ stage: AttackStage, count: Int, interval: Double) {
        self.stage = stage
        fronts = stage.fronts
        self.count = count
        self.interval = interval
    }

    /// Goes on until it is told to stop.
    func run(until stop: StopSign, _ word: (_ socket: Int, _ round: Int) -> [UInt8]) throws -> AttackTally {
        var tally = AttackTally()
        var round = 0
        while !stop.isSet {
            let fleet = try Fleet()
            do {
                try fleet.open(count, at: fronts, session: stage.attacker.token, topics: { _ in topics })
            } catch {
                tally.closed += 1
                stop.wait(seconds: 0.2)
                continue
            }
            repeat {
                for (index, socket) in fleet.sockets.enumerated() where socket.isIdle {
                    socket.send(word(index, round))
                    tally.said += 1
                }
                round += 1
                let end = nanoseconds() + Int(interval * 1e9)
                while !stop.isSet, nanoseconds() < end {
                    try fleet.turn(nanoseconds: min(end - nanoseconds(), 50_000_000)) { _, text in
                        if FrameReading.contains(text, "\"ok\":false") { tally.refused += 1 }
                    }
                }
            } while !isFresh && fleet.closed.isEmpty && !stop.isSet
            tally.closed += fleet.closed.count
        }
        return tally
    }
}
