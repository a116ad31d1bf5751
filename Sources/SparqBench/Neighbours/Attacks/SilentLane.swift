/// Nobody serves a lane, and each bystander has asked it something.
struct SilentLane: Attack {
    /// A type that the fronts send to a lane without workers: `SPARQ_LANES=void=bench.void`.
    static let type = "bench.void"

    let title = "B6 a lane without workers"

    func said(by bystander: Int) -> [UInt8]? { MessageTemplate(word("other-\(bystander)")).frame }

    func run(_ stage: AttackStage, until stop: StopSign) throws -> AttackTally {
        try Crowd(stage, count: 4, interval: 0.5).run(until: stop) { socket, round in
            MessageTemplate(word("\(stage.tag.lane(socket))\(round)")).frame
        }
    }

    func word(_ id: String) -> String { #"{"type":"\#(Self.type)","id":"\#(id)"}"# }
}
