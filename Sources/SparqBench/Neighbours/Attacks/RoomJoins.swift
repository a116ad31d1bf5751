/// Twelve thousand joins of one room at once, and again: each takes the lock of the same rows.
struct RoomJoins: Attack {
    let title = "B4 joins of one room"
    /// Of each of 60 sockets, at once.
    var joined = 200

    func run(_ stage: AttackStage, until stop: StopSign) throws -> AttackTally {
        let room = stage.tag.room(1_000_000)
        try stage.attacker.makeRooms([room], at: stage.fronts[0])
        var tally = try Crowd(stage, count: 60, interval: 5).run(until: stop) { socket, round in
            words("\(stage.tag.lane(socket))\(round)-", room: room).flatMap { MessageTemplate($0).frame }
        }
        tally.said *= joined
        return tally
    }

    /// By turns out and in again: whoever is in already takes no lock.
    func words(_ id: String, room: String) -> [String] {
        (0..<joined).map { #"{"type":"room.\#($0.isMultiple(of: 2) ? "leave" : "join")","id":"\#(id)\#($0)","room":"\#(room)"}"# }
    }
}
