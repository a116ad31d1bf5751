import Foundation
import Synchronization

/// What one client does, or what happens to one part of a stack, while bystanders talk. A kind each.
protocol Attack: Sendable {
    /// The line of the table.
    var title: String { get }
    /// The fronts that the bystanders are at.
    func bystanders(of stage: AttackStage) -> [Address]
    /// What each bystander says once, beside what is measured. Its id begins with `other-`.
    func said(by bystander: Int) -> [UInt8]?
    /// Goes on until it is told to stop. Runs on a thread of its own.
    func run(_ stage: AttackStage, until stop: StopSign) throws -> AttackTally
}

extension Attack {
    func bystanders(of stage: AttackStage) -> [Address] { stage.fronts }
    func said(by bystander: Int) -> [UInt8]? { nil }
}

/// Where it happens.
struct AttackStage: Sendable {
    /// All fronts; the last one is the one that may be slowed.
    var fronts: [Address]
    /// Not a bystander.
    var attacker: BenchUser
    var tag: Tag
    /// The process of the last front.
    var lastFront: Int?
    /// The database's address, without a password.
    var database: String?
}

/// What an attack came to.
struct AttackTally: Equatable {
    /// Messages, frames or requests.
    var said = 0
    /// Error replies.
    var refused = 0
    /// Sockets that the server closed or did not take.
    var closed = 0
}

/// Tells another thread to stop.
final class StopSign: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() { flag.store(true, ordering: .releasing) }

    /// Sleeps, in pieces, unless it is set.
    func wait(seconds: Double) {
        let end = nanoseconds() + Int(seconds * 1e9)
        while !isSet, nanoseconds() < end { Thread.sleep(forTimeInterval: min(0.05, seconds)) }
    }
}
