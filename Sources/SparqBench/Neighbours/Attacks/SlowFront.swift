import Foundation
import Glibc

/// A front that stands still for nine tenths of the time, while events for its sockets come. The bystanders are at the others.
struct SlowFront: Attack {
    let title = "B7 a slow front"

    func bystanders(of stage: AttackStage) -> [Address] { Array(stage.fronts.dropLast()) }

    func run(_ stage: AttackStage, until stop: StopSign) throws -> AttackTally {
        guard let pid = stage.lastFront, let slow = stage.fronts.last, stage.fronts.count > 1 else {
            throw BenchError("the second front's process was not given")
        }
        let room = stage.tag.room(3_000_000)
        try stage.attacker.makeRooms([room], at: stage.fronts[0])
        let listeners = try Fleet()
        try listeners.open(8, at: [slow], session: stage.attacker.token, topics: { _ in ["room:\(room)"] })
        let pauses = DispatchGroup()
        pauses.enter()
        Thread.detachNewThread {
            defer { pauses.leave() }
            while !stop.isSet {
                kill(pid_t(pid), SIGSTOP)
                stop.wait(seconds: 0.9)
                kill(pid_t(pid), SIGCONT)
                stop.wait(seconds: 0.1)
            }
        }
        defer {
            stop.set()
            pauses.wait()
        }
        var crowd = Crowd(stage, count: 4, interval: 0.02)
        crowd.fronts = bystanders(of: stage)
        let tag = stage.tag
        return try crowd.run(until: stop) { socket, round in
            MessageTemplate(word("\(tag.lane(socket))\(round)", room: room)).frame
        }
    }

    /// As long as a message may be.
    func word(_ id: String, room: String) -> String {
        #"{"type":"room.send","id":"\#(id)","room":"\#(room)","text":"\#(String(repeating: "x", count: 3900))"}"#
    }
}
