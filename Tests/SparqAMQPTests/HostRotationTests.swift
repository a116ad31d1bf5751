import Testing

@testable import SparqAMQP

@Suite struct HostRotationTests {
    private let hosts = [AMQPHost("a"), AMQPHost("b"), AMQPHost("c")]

    @Test(arguments: 0..<6) func eachAttemptTakesTheNextHost(start: Int) throws {
        var rotation = HostRotation(hosts, start: start)
        let names = try (0..<7).map { _ in try rotation.next().name }
        #expect(names == (0..<7).map { hosts[(start + $0) % 3].name })
    }

    @Test func aRoundIsOverWhenAllHadTheirAttempt() throws {
        var rotation = HostRotation(hosts, start: 1)
        for _ in 0..<2 {
            for _ in 0..<3 {
                #expect(!rotation.isRoundOver)
                _ = try rotation.next()
            }
            #expect(rotation.isRoundOver)
            rotation.beginRound()
        }
    }

    @Test func withoutAHostThereIsAnErrorAndAPause() {
        var rotation = HostRotation([], start: 5)
        #expect(throws: AMQPError.self) { try rotation.next() }
        #expect(rotation.isRoundOver)
    }
}
