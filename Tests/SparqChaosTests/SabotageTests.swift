import Foundation
import Testing

@testable import sparq_chaos

/// The checker finds every fault that is built in on purpose, and none in the sound system. Starts servers of its own; needs the debug build.
@Suite(.timeLimit(.minutes(5))) struct SabotageTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test func everySabotageIsFoundAndNothingWithoutIt() async throws {
        let beside = Self.root.appendingPathComponent(".build/debug/sparq").path
        let binary = ProcessInfo.processInfo.environment["SPARQ_TEST_BINARY"] ?? beside
        let folder = Self.root.appendingPathComponent(".stack-test/sabotage-\(UInt32.random(in: .min ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        let layout = ChaosStack.Layout(root: Self.root, folder: folder, binary: binary, fronts: 2, workers: 1)
        let outcomes = try await SabotageTrial(layout: layout, kinds: SabotageKind.allCases).run()
        #expect(outcomes.count == 2 * SabotageKind.allCases.count)
        for outcome in outcomes {
            let round = outcome.isSabotaged ? "sabotaged" : "sound"
            #expect(outcome.isRight, "\(outcome.kind.rawValue), \(round): \(outcome.verdict.examples)")
        }
    }
}
