/// Pings of the WebSocket protocol, many thousands a second.
struct PingFlood: Attack {
    let title = "B2 pings"
    /// Pings that are written at once.
    var joined = 250

    func run(_ stage: AttackStage, until stop: StopSign) throws -> AttackTally {
        let frames = frames
        return try Crowd(stage, count: 4, interval: 0.02).run(until: stop) { _, _ in frames }
    }

    /// Empty, with a mask of zeros.
    var frames: [UInt8] { (0..<joined).flatMap { _ in [0x89, 0x80, 0, 0, 0, 0] as [UInt8] } }
}
