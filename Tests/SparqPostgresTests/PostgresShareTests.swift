import Logging
import Synchronization
import Testing

@testable import SparqPostgres

/// A share without a database: what it lends is counted only.
@Suite(.timeLimit(.minutes(1))) struct PostgresShareTests {
    private final class Door: Sendable {
        let isOpen = Atomic(false)
        let entered = Atomic(0)

        func wait() async throws {
            entered.add(1, ordering: .relaxed)
            while !isOpen.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    private static func share(_ connections: Int) throws -> PostgresShare {
        let configuration = try PostgresConfiguration(url: "postgresql://nobody@127.0.0.1:1/none")
        let pool = PostgresPool(configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return PostgresShare(of: pool, connections: connections, reserved: 0) { 100 }
    }

    private static func hold(_ share: PostgresShare, _ number: Int, _ pause: Int) -> Task<Void, any Error> {
        Task {
            try await share.hold("\(number % 5)", isTransaction: number % 3 == 0) { _ in
                #expect(share.counts.holding <= 3)
                if pause < 200 { try await Task.sleep(for: .microseconds(pause)) }
            }
        }
    }

    /// Cancelled while they wait, when it is their turn, and while they work.
    @Test(arguments: 0..<20) func cancellationsLoseNoConnection(seed: Int) async throws {
        var random = PoolStateMachineTests.Seeded(state: UInt64(seed))
        let share = try Self.share(3)
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<200 {
            let pause = Int.random(in: 0...300, using: &random)
            tasks.append(Self.hold(share, number, pause))
            if Bool.random(using: &random), let task = tasks.randomElement(using: &random) { task.cancel() }
            if number % 10 == 0 { await Task.yield() }
        }
        for task in tasks { _ = await task.result }
        #expect(share.counts.holding == 0 && share.counts.waiting == 0)
        // All are there to be lent again.
        let door = Door()
        let last = ["x", "y", "z"].map { name in Task { try await share.hold(name) { _ in try await door.wait() } } }
        while door.entered.load(ordering: .relaxed) < 3 { try await Task.sleep(for: .milliseconds(1)) }
        door.isOpen.store(true, ordering: .relaxed)
        for task in last { try await task.value }
    }

    /// What one name has beyond its first connection it loses to others, and gets its result all the same.
    @Test func whoWaitsForLongHoldsUpNobody() async throws {
        let share = try Self.share(4)
        let door = Door()
        let blocked = (0..<10).map { number in
            Task {
                try await share.hold("blocked") { _ in
                    try await door.wait()
                    return number
                }
            }
        }
        while share.counts.holding < 4 || share.counts.waiting < 6 { try await Task.sleep(for: .milliseconds(1)) }
        let start = ContinuousClock.now
        for _ in 0..<10 {
            try await share.hold("other") { _ in }
            try await share.hold("other", isTransaction: true) { _ in }
        }
        #expect(.now - start < .seconds(2))
        door.isOpen.store(true, ordering: .relaxed)
        for (number, task) in blocked.enumerated() { #expect(try await task.value == number) }
        // Three of them twice.
        #expect(door.entered.load(ordering: .relaxed) >= 13)
        #expect(share.counts.holding == 0 && share.counts.waiting == 0)
    }

    /// One that does not care that its task is cancelled keeps its connection no longer.
    @Test func whoIgnoresItsCancellationHoldsNoConnection() async throws {
        let share = try Self.share(2)
        let (hole, open) = AsyncStream.makeStream(of: Void.self)
        let stubborn = Task { try await share.hold("a") { _ in await Task.detached { for await _ in hole { break } }.value } }
        while share.counts.holding == 0 { try await Task.sleep(for: .milliseconds(1)) }
        stubborn.cancel()
        while share.counts.holding > 0 { try await Task.sleep(for: .milliseconds(1)) }
        open.yield()
        _ = await stubborn.result
        #expect(share.counts.holding == 0 && share.counts.waiting == 0)
    }
}
