import Testing

@testable import SparqFront

/// Every subscriber sees each event once and in order, from its cursor on, whatever comes late, twice, in another order or not at all.
@Suite struct CatchUpTests {
    @Test(arguments: 0..<60)
    func randomLives(_ seed: Int) throws {
        let model = try CatchUpModel(seed: UInt64(seed), topics: 1 + seed % 4, prunes: false)
        for _ in 0..<2500 { model.step() }
        model.settle()
        #expect(model.faults.isEmpty)
        #expect(model.seen > 50)
    }

    @Test(arguments: 100..<130)
    func randomLivesWithALogThatForgets(_ seed: Int) throws {
        let model = try CatchUpModel(seed: UInt64(seed), topics: 1 + seed % 3, prunes: true)
        for _ in 0..<2500 { model.step() }
        model.settle()
        #expect(model.faults.isEmpty)
        #expect(model.seen > 50 && model.truncations > 0)
    }
}
