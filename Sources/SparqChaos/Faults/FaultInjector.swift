import Foundation
import Postgres

/// Does to a stack what a plan says, and undoes it.
actor FaultInjector {
    let stack: ChaosStack
    private let database: PostgresPool
    private(set) var records: [FaultRecord] = []
    /// What could not be done or undone: a fault of the harness, or of a process that does not start again.
    private(set) var failures: [String] = []
    /// Victims that are dead or asleep.
    private var down: Set<String> = []

    init(stack: ChaosStack, database: PostgresPool) {
        self.stack = stack
        self.database = database
    }

    /// Returns when all faults are healed.
    func run(_ plan: FaultPlan, from start: ContinuousClock.Instant) async {
        await withTaskGroup(of: Void.self) { group in
            for fault in plan.faults {
                group.addTask {
                    await pause(start + .milliseconds(fault.at) - ContinuousClock.now)
                    await self.perform(fault)
                }
            }
        }
    }

    private func perform(_ fault: Fault) async {
        let layout = stack.layout
        let role: ChaosStack.Role? = fault.kind.victim == .front ? .front : fault.kind.victim == .worker ? .worker : nil
        var index = fault.target
        // Somebody who is down already gives way to the next; where all are down, there is nothing to do.
        if let role {
            let count = role == .front ? layout.fronts : layout.workers
            guard let free = (0..<count).map({ (index + $0) % count }).first(where: { !down.contains("\(role.rawValue)\($0)") }) else {
                return
            }
            index = free
        }
        let victim = role.map { "\($0.rawValue)\(index)" } ?? "\(fault.kind.victim)"
        guard down.insert(victim).inserted else { return }
        defer { down.remove(victim) }
        if let role, let status = await stack.crashed(role, index) {
            failures.append("\(await stack.name(role, index)) had ended by itself with \(status)")
        }
        say("  \(fault)")
        do {
            try await carryOut(fault, index)
        } catch {
            failures.append("\(fault): \(error)")
            say("  \(fault) FAILED: \(error)")
        }
    }

    private func carryOut(_ fault: Fault, _ index: Int) async throws {
        switch fault.kind {
        case .killFront: try await kill(.front, index, fault)
        case .killWorker: try await kill(.worker, index, fault)
        case .killRabbitMQ: try await kill(.rabbitmq, fault)
        case .killPostgres: try await kill(.postgres, fault)
        case .pauseFront: await stop([try await pid(.front, index)], fault)
        case .pauseWorker: await stop([try await pid(.worker, index)], fault)
        case .pauseRabbitMQ: await stop([try await stack.servers.pid(.rabbitmq)], fault)
        case .pausePostgres:
            let postmaster = try await stack.servers.pid(.postgres)
            await stop([postmaster] + ProcessTable.children(of: postmaster), fault)
        case .cutBroker:
            note(fault)
            let choice = "lists:nth(\(fault.target) * 3 rem length(L) + 1, L)"
            _ = try await stack.servers.control(
                ["eval", "L = rabbit_networking:connections(), rabbit_networking:close_connection(\(choice), \"chaos\")."]
            )
        case .cutDatabase:
            note(fault)
            let sql = """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'sparq-chaos' ORDER BY backend_start LIMIT 1 OFFSET $1
                """
            _ = try await database.run(Statement(sql, fault.target))
        case .restartFront: try await restart(.front, index, fault)
        case .restartWorker: try await restart(.worker, index, fault)
        }
    }

    func note(failure: String) { failures.append(failure) }
    private func note(_ fault: Fault) { records.append(FaultRecord(fault: fault, at: .now)) }

    private func kill(_ role: ChaosStack.Role, _ index: Int, _ fault: Fault) async throws {
        note(fault)
        await stack.kill(role, index)
        await pause(.milliseconds(fault.outage))
        try await stack.start(role, index)
    }

    private func kill(_ server: Servers.Server, _ fault: Fault) async throws {
        let pid = try await stack.servers.pid(server)
        note(fault)
        Foundation.kill(pid, SIGKILL)
        await pause(.milliseconds(fault.outage))
        try await stack.servers.restart(server)
    }

    func restart(_ role: ChaosStack.Role, _ index: Int, _ fault: Fault) async throws {
        note(fault)
        try await stack.terminate(role, index)
        await pause(.milliseconds(fault.outage))
        try await stack.start(role, index)
    }

    private func stop(_ pids: [pid_t], _ fault: Fault) async {
        note(fault)
        for pid in pids { Foundation.kill(pid, SIGSTOP) }
        await pause(.milliseconds(fault.outage))
        for pid in pids.reversed() { Foundation.kill(pid, SIGCONT) }
    }

    private func pid(_ role: ChaosStack.Role, _ index: Int) async throws -> pid_t {
        guard let process = await stack.process(role, index), process.status == nil else {
            throw ChaosError("\(await stack.name(role, index)) does not run")
        }
        return process.pid
    }
}
