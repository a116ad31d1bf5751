import AMQP
import Testing

@testable import SparqWorker

@Suite struct SuspicionTests {
    @Test func growsWithTheDeaths() {
        var expected: [Suspicion] = [.none, .none, .alone, .alone, .alone, .alone]
        expected += Array(repeating: .apart, count: 10) + [.givenUp, .givenUp]
        #expect((0...17).map { Suspicion(deaths: $0) } == expected)
        #expect(Suspicion.none < .alone && Suspicion.alone < .apart && Suspicion.apart < .givenUp)
    }

    @Test func whatIsTakenApartBeginsWithTheDeathsOfTheWhole() {
        let counted = { (headers: [String: AMQPValue]) in Suspicion(of: AMQPMessage(body: [], headers: headers)) }
        #expect(counted([:]) == .none && counted(["x-delivery-count": 1]) == .none)
        #expect(counted(["x-delivery-count": 2]) == .alone)
        #expect(counted([Suspicion.deathsHeader: 6]) == .apart)
        #expect(counted(["x-delivery-count": 9, Suspicion.deathsHeader: 6]) == .apart)
        #expect(counted(["x-delivery-count": 10, Suspicion.deathsHeader: 6]) == .givenUp)
        // Somebody else's header of that name.
        #expect(counted([Suspicion.deathsHeader: "many"]) == .none)
    }
}
