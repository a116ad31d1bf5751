/// Subscriptions to thousands of topics that nobody may have: names that are not in normalization form C.
struct RefusedNames: Attack {
    let title = "B1 refused names"
    var bytes = 65_000

    func run(_ stage: AttackStage, until stop: StopSign) throws -> AttackTally {
        let frame = MessageTemplate(text).frame
        return try Crowd(stage, count: 12, interval: 0.5).run(until: stop) { _, _ in frame }
    }

    /// As many names as there is room for, all different.
    var text: String {
        var text = #"{"type":"subscribe","id":"names","topics":{"#
        var number = 0
        while text.utf8.count < bytes - 20 {
            // An e with an accent of its own.
            text += "\(number == 0 ? "" : ",")\"e\u{301}\(String(number, radix: 36))\":0"
            number += 1
        }
        return text + "}}"
    }
}
