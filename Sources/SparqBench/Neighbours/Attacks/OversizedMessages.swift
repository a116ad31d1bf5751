/// Messages around the size that the broker takes: with what is added on their way some are too large to go to a worker, others to come back.
struct OversizedMessages: Attack {
    let title = "B8 oversized messages"
    /// The broker's limit (`max_message_size`); fronts take messages of that size and a little more.
    var limit = 1_000_000

    func run(_ stage: AttackStage, until stop: StopSign) throws -> AttackTally {
        try Crowd(stage, count: 4, interval: 0.5).run(until: stop) { socket, round in
            MessageTemplate(word("\(stage.tag.lane(socket))\(round)", bytes: size(round))).frame
        }
    }

    /// From 1,000 bytes below the limit to 500 above, by turns.
    func size(_ round: Int) -> Int { limit - 1000 + round * 7 % 31 * 50 }

    func word(_ id: String, bytes: Int) -> String {
        let start = #"{"type":"\#(Echo.type)","id":"\#(id)","pad":""#
        return start + String(repeating: "x", count: max(0, bytes - start.utf8.count - 2)) + "\"}"
    }
}
