import Testing

@testable import SparqWorker

@Suite struct SweepPaceTests {
    @Test func piecesGrowWhileTheyAreQuickAndShrinkWhenTheyAreSlow() {
        var pace = SweepPace()
        func sizes(_ times: [Int]) -> [Int] {
            times.map {
                _ = pace.worked(.milliseconds($0), isBehind: false)
                return pace.size
            }
        }
        #expect(pace.size == 1000)
        #expect(sizes([1, 1, 1, 1]) == [2000, 4000, 8000, 8000])
        #expect(sizes([50, 200]) == [8000, 8000])
        #expect(sizes([201, 5000, 5000, 5000]) == [4000, 2000, 1000, 1000])
    }

    @Test func whoIsBehindDoesNotRest() {
        var pace = SweepPace()
        #expect(pace.worked(.milliseconds(70), isBehind: false) == .milliseconds(70))
        #expect(pace.worked(.milliseconds(70), isBehind: true) == .zero)
    }
}
