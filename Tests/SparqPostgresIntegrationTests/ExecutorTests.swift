import Glibc
import SparqPostgres
import Synchronization
import Testing

/// Tasks that run on the threads of connections.
@Suite(.timeLimit(.minutes(1))) struct ExecutorTests {
    private final class Number: Sendable {
        private let number = Atomic(0)
        var value: Int { number.load(ordering: .sequentiallyConsistent) }
        func add() { number.add(1, ordering: .sequentiallyConsistent) }
    }

    private nonisolated func thread() async -> UInt { UInt(pthread_self()) }

    private func configuration(_ size: Int) throws -> PostgresConfiguration {
        var configuration = try Database.configuration()
        configuration.poolSize = size
        return configuration
    }

    /// Opens all connections of a pool.
    private func open(_ count: Int, _ pool: PostgresPool) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let arrived = Number()
            for _ in 0..<count {
                group.addTask {
                    try await pool.withConnection { _ in
                        arrived.add()
                        try await eventually("all are lent") { arrived.value == count }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func aTaskStaysOnItsConnectionsThread() async throws {
        try await Database.withPool(configuration(4)) { pool in
            try await open(4, pool)
            try await withTaskExecutorPreference(pool.executor) {
                let own = await thread()
                var backends: Set<Int> = []
                for _ in 0..<50 {
                    backends.insert(try await pool.query("SELECT pg_backend_pid()")[0].decode(Int.self))
                    #expect(await thread() == own)
                }
                #expect(backends.count == 1, "the thread's own connection is lent")
            }
        }
    }

    /// The pool lends other connections meanwhile: waiting for that thread would be waiting for ever.
    @Test func aStepThatComputesHoldsUpNobody() async throws {
        try await Database.withPool(configuration(2)) { pool in
            try await open(2, pool)
            let (started, answered) = (Number(), Number())
            let computing = Task(executorPreference: pool.executor) {
                started.add()
                while answered.value < 20 { sched_yield() }
            }
            try await eventually("it computes") { started.value == 1 }
            for _ in 0..<20 {
                let one = try await pool.query("SELECT 1")[0].decode(Int.self)
                #expect(one == 1)
                answered.add()
            }
            await computing.value
        }
    }

    @Test func tasksGoOnWhenTheirConnectionBreaks() async throws {
        try await Database.withPool(configuration(1)) { pool in
            try await open(1, pool)
            let steps = Number()
            let walker = Task(executorPreference: pool.executor) {
                while !Task.isCancelled {
                    steps.add()
                    await Task.yield()
                    try? await Task.sleep(for: .microseconds(100))
                }
            }
            defer { walker.cancel() }
            try await Database.withPool { killer in
                for _ in 0..<5 {
                    let backend = try await pool.query("SELECT pg_backend_pid()")[0].decode(Int.self)
                    let before = steps.value
                    try await killer.query("SELECT pg_terminate_backend($1::int)", backend)
                    try await eventually("steps") { steps.value > before + 20 }
                    try await eventually("another connection") {
                        (try? await pool.query("SELECT pg_backend_pid()")[0].decode(Int.self)).map { $0 != backend } ?? false
                    }
                }
            }
        }
    }
}
