import SparqAMQP
import SparqWire
import Testing

@testable import SparqWorker

@Suite struct SuspicionTests {
    /// What comes a second time shared the fate of its worker once; that happens to all.
    @Test func whatComesAThirdTimeIsSuspected() {
        let isRaised = { (headers: [String: AMQPValue]) in Suspicion.isRaised(by: AMQPMessage(body: [], headers: headers)) }
        #expect(!isRaised([:]) && !isRaised(["x-delivery-count": 1]))
        #expect(isRaised(["x-delivery-count": 2]))
        // Of a version before.
        #expect(isRaised([BrokerHeaders.deaths: 6]))
        // Somebody else's header of that name.
        #expect(!isRaised([BrokerHeaders.deaths: "many"]))
    }
}
