import Logging
import SparqWire
import Testing

@testable import SparqWorker

@Suite(.timeLimit(.minutes(1))) struct HandlerWatchTests {
    private static func watch(slots: Int) -> HandlerWatch {
        HandlerWatch(
            slots: slots,
            strays: slots,
            interval: .milliseconds(1),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            isDatabaseAway: { false },
            onProgress: { _ in }
        )
    }

    /// The end comes while a handler begins: between the moment it is known, and the moment its task can be cancelled.
    @Test(arguments: [false, true]) func whatBeginsWhileAllEndsIsCancelled(isBefore: Bool) async {
        let watch = Self.watch(slots: 4)
        let (ends, end) = AsyncStream.makeStream(of: Bool.self)
        let run = ConnectionRun(alone: envelope(), batch: InboundBatch { _ in }) { _, _ in }
        if isBefore { watch.cancel() }
        watch.start(run) {
            watch.cancel()
            try? await Task.sleep(for: .seconds(3600))
            _ = run.end(0)
            end.yield(Task.isCancelled)
        }
        for await isCancelled in ends {
            #expect(isCancelled)
            break
        }
        await watch.end(within: .seconds(10))
        #expect(run.isOver)
    }

    /// What goes on with messages holds the watch, as a worker's processor does.
    @Test func nothingIsLeftOfAWatchThatHasEnded() async throws {
        weak var left: HandlerWatch?
        do {
            let watch = Self.watch(slots: 1)
            watch.begin { _, _, _ in _ = watch.copies }
            left = watch
            await watch.end(within: .seconds(1))
        }
        for _ in 0..<2000 where left != nil { try await Task.sleep(for: .milliseconds(1)) }
        #expect(left == nil)
    }
}
