import Foundation
import Synchronization

/// Guesses of passwords from one address, over sockets and over HTTP.
struct LoginFlood: Attack {
    let title = "B3 logins"

    func run(_ stage: AttackStage, until stop: StopSign) throws -> AttackTally {
        let requests = Mutex(AttackTally())
        let callers = DispatchGroup()
        for caller in 0..<4 {
            callers.enter()
            Thread.detachNewThread {
                defer { callers.leave() }
                let call = HTTPCall(address: stage.fronts[caller % stage.fronts.count])
                while !stop.isSet {
                    let isTaken = (try? call.send(["type": "auth.login", "user": stage.attacker.name, "password": "not it"])) != nil
                    requests.withLock {
                        $0.said += 1
                        if !isTaken { $0.refused += 1 }
                    }
                    stop.wait(seconds: 0.02)
                }
            }
        }
        var tally = try Crowd(stage, count: 4, interval: 0.02).run(until: stop) { socket, round in
            MessageTemplate(guess("\(stage.tag.lane(socket))\(round)", of: stage.attacker.name)).frame
        }
        callers.wait()
        requests.withLock {
            tally.said += $0.said
            tally.refused += $0.refused
        }
        return tally
    }

    func guess(_ id: String, of user: String) -> String {
        #"{"type":"auth.login","id":"\#(id)","user":"\#(user)","password":"not it either"}"#
    }
}
