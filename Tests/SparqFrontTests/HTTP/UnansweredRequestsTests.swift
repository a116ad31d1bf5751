import SparqWire
import Testing

@testable import SparqFront

@Suite struct UnansweredRequestsTests {
    private let second = 1_000_000_000

    @Test func whatNobodyAnswersIsBoundedByUserAndLane() throws {
        let requests = UnansweredRequests(lanes: try LaneMap("echo=echo.*"), limit: 4)
        func take(_ user: String, _ type: String, at time: Int = 0) -> Int {
            (0..<100).count { _ in requests.take(.user(user), type, now: time) }
        }
        #expect(take("ann", "echo.it") == 4 && take("ann", "echo.that") == 0)
        #expect(take("bob", "echo.it") == 4 && take("ann", "room.send") == 4)
        // An hour without workers: one a second, and never more at once.
        #expect((1...60).reduce(0) { $0 + take("ann", "echo.it", at: $1 * second) } == 60)
        #expect(take("ann", "echo.it", at: 3600 * second) == 4)
        // One is answered: the lane is served.
        requests.answered(.user("ann"), "echo.it")
        #expect(take("ann", "echo.it", at: 3600 * second) == 4)
        #expect(take("bob", "room.send") == 4 && take("ann", "room.send") == 0)
    }

    @Test func whoIsAnsweredIsNeverRefused() throws {
        let requests = UnansweredRequests(lanes: try LaneMap(""), limit: 4)
        for _ in 0..<1000 {
            for _ in 0..<4 { #expect(requests.take(.nobody, "a", now: 0)) }
            requests.answered(.nobody, "a")
        }
    }
}
