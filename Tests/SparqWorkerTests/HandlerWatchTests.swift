import Logging
import SparqProtocol
import Testing

@testable import SparqWorker

@Suite(.timeLimit(.minutes(1))) struct HandlerWatchTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// The end comes while a handler begins: between the moment it is known, and the moment its task can be cancelled.
    @Test(arguments: [false, true]) func whatBeginsWhileAllEndsIsCancelled(isBefore: Bool) async {
        let watch = HandlerWatch(slots: 4, strays: 4, logger: logger) { _ in }
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
}
