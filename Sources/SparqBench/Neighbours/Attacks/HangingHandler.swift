/// A handler that never ends, for eight messages, which their client sends again and again under the same ids, each time over a new socket.
public struct HangingHandler: Attack {
    /// The type that a worker with `SPARQ_BENCH=true` never answers.
    public static let type = "bench.hang"

    let title = "B5 a hanging handler"

    func run(_ stage: AttackStage, until stop: StopSign) throws -> AttackTally {
        var crowd = Crowd(stage, count: 24, interval: 0.5)
        crowd.isFresh = true
        return try crowd.run(until: stop) { socket, _ in MessageTemplate(word("\(stage.tag.lane(socket % 8))hang")).frame }
    }

    func word(_ id: String) -> String { #"{"type":"\#(Self.type)","id":"\#(id)"}"# }
}
