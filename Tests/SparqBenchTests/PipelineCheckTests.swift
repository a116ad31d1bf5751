import Testing

@testable import SparqBench

/// The yardstick is held to what Sparq is held to.
struct PipelineCheckTests {
    private func faults(_ numbers: [UInt64], of sent: UInt64 = 4) -> BenchResult.Faults {
        var order = ArrivalOrder()
        for number in numbers { _ = order.arrived(number, of: sent) }
        return order.faults
    }

    @Test func numbersComeOnceAndInOrder() {
        #expect(faults([0, 1, 2, 3]).isEmpty)
        #expect(faults([0, 1, 1, 2, 3]).repeated == 1)
        #expect(faults([0, 2, 3]).misordered == 1)
        #expect(!faults([1, 0, 2, 3]).isEmpty)
        // A body that nobody sent.
        #expect(faults([0, 9, 1]).misordered == 1)
        #expect(faults([.max]).misordered == 1)
    }

    @Test func everyPublishIsConfirmed() {
        var confirms = Confirms()
        for _ in 1...5 { confirms.published() }
        confirms.confirmed(2, multiple: false)
        #expect(confirms.open == 4)
        confirms.confirmed(3, multiple: true)
        #expect(confirms.open == 2)
        // Once more, and of what was never published: nothing changes.
        confirms.confirmed(2, multiple: false)
        confirms.confirmed(9, multiple: true)
        #expect(confirms.open == 2)
        confirms.confirmed(5, multiple: true)
        #expect(confirms.open == 0)
        confirms.published()
        confirms.confirmed(6, multiple: false)
        #expect(confirms.open == 0)
    }

    @Test func aProcessThatEndsTakesNothingAway() {
        #expect(ProcessorMeter.used(from: [1: 100, 2: 5_000], to: [1: 160, 3: 7]) == 67)
    }
}
