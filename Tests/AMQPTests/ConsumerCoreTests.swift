import Testing

@testable import AMQP

@Suite struct ConsumerCoreTests {
    private func settling(_ kind: AckLedger.Kind) -> ConsumerCore.Settling {
        ConsumerCore.Settling(tag: DeliveryTag(epoch: 1, number: 1), kind: kind, multiple: false)
    }

    @Test func acksWakeTheThreadUnlessItComesBackByItself() {
        let core = ConsumerCore()
        var taken: [ConsumerCore.Settling] = []
        let isFree = core.linger()
        #expect(isFree)
        #expect(!core.settle(settling(.ack)))
        #expect(core.settle(settling(.nack(requeue: true))), "who gives back wants it to go to others now")
        #expect(core.settle(settling(.reject(requeue: true))))
        let (isCancelRequested, isOver) = core.take(into: &taken)
        #expect(!isCancelRequested && !isOver)
        #expect(taken.count == 3)
        #expect(core.settle(settling(.ack)), "the thread waits for the broker, who knows how long")
    }

    @Test func theThreadDoesNotLingerWithSomethingToDo() {
        let core = ConsumerCore()
        _ = core.settle(settling(.ack))
        let withAcks = core.linger()
        #expect(!withAcks)
        var taken: [ConsumerCore.Settling] = []
        _ = core.take(into: &taken)
        core.requestCancel(nil)
        let inTheEnd = core.linger()
        #expect(!inTheEnd)
    }
}
