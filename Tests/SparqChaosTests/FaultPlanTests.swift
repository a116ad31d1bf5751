import ArgumentParser
import Foundation
import Testing

@testable import sparq_chaos

@Suite struct FaultPlanTests {
    @Test(arguments: [1, 2, 99] as [UInt64]) func theSameSeedMakesTheSamePlan(seed: UInt64) {
        let plan = FaultPlan(seed: seed, duration: 180_000)
        #expect(plan == FaultPlan(seed: seed, duration: 180_000))
        #expect(plan != FaultPlan(seed: seed + 1, duration: 180_000))
    }

    @Test func aPlanStaysInsideItsTimeAndItsNumbers() {
        for seed in 0..<200 as Range<UInt64> {
            let plan = FaultPlan(seed: seed, duration: 60_000, fronts: 3, workers: 2)
            #expect(!plan.faults.isEmpty)
            for fault in plan.faults {
                #expect(fault.at >= 0 && fault.at + fault.outage < 60_000)
                #expect(fault.target >= 0 && fault.target < (fault.kind.victim == .front ? 3 : 2))
            }
            #expect(plan.faults.map(\.at) == plan.faults.map(\.at).sorted())
        }
    }

    @Test func aLongPlanHasEveryKind() {
        for seed in 1...20 as ClosedRange<UInt64> {
            let kinds = Set(FaultPlan(seed: seed, duration: 600_000).faults.map(\.kind))
            #expect(kinds == Set(FaultKind.allCases), "seed \(seed)")
        }
    }

    @Test func aPlanHasOnlyTheKindsThatWereAskedFor() {
        let plan = FaultPlan(seed: 5, duration: 100_000, kinds: [.killWorker, .cutBroker])
        #expect(Set(plan.faults.map(\.kind)) == [.killWorker, .cutBroker])
    }

    @Test func longPlansPauseTheDatabaseBeyondItsStatements() {
        for seed in 1...20 as ClosedRange<UInt64> {
            let pauses = FaultPlan(seed: seed, duration: 1_800_000).faults.filter { $0.kind == .pausePostgres }
            #expect(pauses.contains { $0.outage > 32_000 } && pauses.contains { $0.outage < 32_000 }, "seed \(seed)")
            #expect(!FaultPlan(seed: seed, duration: 180_000).faults.contains { $0.outage > 20_000 })
        }
    }

    @Test func thePlanCommandTakesWhatTheScriptPasses() throws {
        let places = ["--root", "/r", "--folder", "/f", "--binary", "/b"]
        let arguments = ["plan", "--seed", "7", "--fronts", "1", "--workers", "5", "--short"] + places
        let command = try #require(try SparqChaos.parseAsRoot(arguments) as? PlanCommand)
        let plan = try command.plan.plan(seed: command.seed, command.stack)
        #expect(plan == FaultPlan(seed: 7, duration: 60_000, kinds: try command.plan.kinds, fronts: 1, workers: 5))
        #expect(plan != FaultPlan(seed: 7, duration: 60_000, kinds: try command.plan.kinds))
    }

    @Test func somePausesAreLongerThanTheLease() {
        let pauses = (1...20).flatMap { FaultPlan(seed: UInt64($0), duration: 300_000, kinds: [.pauseFront]).faults }
        #expect(pauses.contains { $0.outage > 15_000 })
    }

    @Test func whoIsDownGivesWayToTheNextOfItsKind() {
        let layout = ChaosStack.Layout(
            root: URL(fileURLWithPath: "/"),
            folder: URL(fileURLWithPath: "/"),
            binary: "",
            fronts: 2,
            workers: 3
        )
        func victims(_ kind: FaultKind, _ target: Int, down: Set<Victim>) -> [Victim] {
            Victim.of(Fault(kind: kind, at: 0, outage: 0, target: target), in: layout, down: down)
        }
        #expect(victims(.killWorker, 1, down: []) == [.process(.worker, 1)])
        #expect(victims(.killWorker, 1, down: [.process(.worker, 1), .process(.worker, 2)]) == [.process(.worker, 0)])
        #expect(victims(.killFront, 0, down: [.process(.front, 0), .process(.front, 1)]).isEmpty)
        #expect(victims(.cutBroker, 2, down: [.server(.rabbitmq)]).isEmpty)
        #expect(victims(.crashLoop, 0, down: [.process(.worker, 0)]) == [.process(.worker, 1), .process(.worker, 2)])
        #expect(victims(.killAll, 0, down: [.server(.postgres)]).count == 6)
    }
}
