import SparqWire
import Testing

@testable import SparqFront
@testable import SparqFrontCore

@Suite struct RecentOriginsTests {
    @Test func whatIsHeardAgainIsKnownForAtLeastSoManyOthers() {
        for distance in 0..<10 {
            var heard = RecentOrigins(limit: 10)
            // Wherever the first one lies in its generation.
            for number in 0..<distance * 3 { _ = heard.insert("before \(number)") }
            var news: [Bool] = [heard.insert("it")]
            for number in 0..<9 { news += [heard.insert("other \(number)"), heard.insert("it")] }
            #expect(news == [true] + Array(repeating: [true, false], count: 9).flatMap(\.self), "\(distance)")
        }
    }

    @Test func theOldestIsForgotten() {
        var heard = RecentOrigins(limit: 10)
        let news = (["it"] + (0..<20).map { "\($0)" } + ["it"]).map { heard.insert($0) }
        #expect(news == Array(repeating: true, count: 22))
    }

    /// A worker that died before its ack: the message comes again, and by then the user has come back.
    @Test func aRepeatedInstructionForAUserDoesNotReachTheShards() {
        var state = NodeState(settings: NodeSettings(), shards: 2)
        var actions = NodeActions(shards: 2)
        let instructions: [Delivery] = [
            .unsubscribe(.user("bob"), origin: "c1 1 0", topics: ["room:a"]),
            .disconnect(.user("bob"), origin: "c1 1 1", code: 4003, reason: ""),
        ]
        for _ in 1...2 {
            for instruction in instructions { state.deliver(instruction, now: 0, into: &actions) }
        }
        #expect(actions.commands.map(\.count) == [2, 2])
        // Of others, and of workers that do not name it.
        state.deliver(.unsubscribe(.user("bob"), origin: "c2 1 0", topics: ["room:a"]), now: 0, into: &actions)
        for _ in 1...2 { state.deliver(.unsubscribe(.user("bob"), topics: ["room:a"]), now: 0, into: &actions) }
        #expect(actions.commands.map(\.count) == [5, 5])
    }
}
