import Foundation
import SparqPostgres

/// Does to a stack what a plan says, and undoes it.
actor FaultInjector {
    let stack: ChaosStack
    let database: PostgresPool
    private(set) var records: [FaultRecord] = []
    /// What could not be done or undone: a fault of the harness, or of a process that does not start again.
    private(set) var failures: [String] = []
    /// What the plan had and nobody was there for.
    private(set) var skipped: [String] = []
    /// Victims that are dead or asleep.
    private var down: Set<Victim> = []
    private var watches: [Task<Void, Never>] = []

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
        await awaitWatches()
    }

    func awaitWatches() async {
        for watch in watches { await watch.value }
    }

    private func perform(_ planned: Fault) async {
        let victims = Victim.of(planned, in: stack.layout, down: down)
        guard !victims.isEmpty else { return skip(planned, "all are down") }
        down.formUnion(victims)
        defer { down.subtract(victims) }
        var fault = planned
        for case .process(let role, let index) in victims {
            fault.target = index
            guard let status = await stack.crashed(role, index) else { continue }
            failures.append("\(await stack.name(role, index)) had ended by itself with \(status)")
        }
        do {
            try await carryOut(fault, victims)
        } catch {
            failures.append("\(fault): \(error)")
            say("  \(fault) FAILED: \(error)")
        }
    }

    private func carryOut(_ fault: Fault, _ victims: [Victim]) async throws {
        switch fault.kind {
        case .killFront: try await kill(.front, fault)
        case .killWorker: try await kill(.worker, fault)
        case .killRabbitMQ: try await kill(server: .rabbitmq, fault)
        case .killPostgres: try await kill(server: .postgres, fault)
        case .pauseFront: try await stop([try await pid(.front, fault.target)], fault)
        case .pauseWorker: try await stop([try await pid(.worker, fault.target)], fault)
        case .pauseRabbitMQ: try await stop([try await stack.servers.pid(.rabbitmq)], fault)
        case .pausePostgres:
            let postmaster = try await stack.servers.pid(.postgres)
            try await stop([postmaster] + ProcessTable.children(of: postmaster), fault)
        case .cutBroker, .cutDatabase: try await cut(fault)
        case .restartFront: try await restart(.front, fault.target, fault)
        case .restartWorker: try await restart(.worker, fault.target, fault)
        case .freezeBroker: try await freeze(.rabbitmq, fault)
        case .freezeDatabase: try await freeze(.postgres, fault)
        case .cutUnheard: try await cutUnheard(fault)
        case .starveWorker: try await starve(fault)
        case .refuseWrites: try await refuseWrites(fault)
        case .killAll: try await killAll(victims, fault)
        case .crashLoop: try await crashLoop(victims, fault)
        }
    }

    func note(failure: String) { failures.append(failure) }

    func skip(_ fault: Fault, _ why: String) {
        skipped.append("\(fault): \(why)")
        say("  \(fault) skipped: \(why)")
    }

    /// Returns the record's place.
    @discardableResult
    func note(_ fault: Fault, on victim: String? = nil, at instant: ContinuousClock.Instant = .now) -> Int {
        say("  \(fault)\(victim.map { " (\($0))" } ?? "")")
        records.append(FaultRecord(fault: fault, victim: victim ?? fault.description, at: instant))
        return records.count - 1
    }

    /// The fault took place up to now.
    func setTime(of record: Int) { records[record].at = .now }

    private func kill(_ role: ChaosStack.Role, _ fault: Fault) async throws {
        let record = note(fault)
        await stack.kill(role, fault.target)
        await pause(.milliseconds(fault.outage))
        try await stack.start(role, fault.target)
        await watch(record, role)
    }

    private func kill(server: Servers.Server, _ fault: Fault) async throws {
        let pid = try await stack.servers.pid(server)
        guard Foundation.kill(pid, SIGKILL) == 0 else { throw ChaosError("\(server.rawValue) (\(pid)) could not be killed") }
        note(fault)
        await pause(.milliseconds(fault.outage))
        try await stack.servers.restart(server)
    }

    func restart(_ role: ChaosStack.Role, _ index: Int, _ fault: Fault) async throws {
        let record = note(fault)
        try await stack.terminate(role, index)
        records[record].at = .now
        await pause(.milliseconds(fault.outage))
        try await stack.start(role, index)
        await watch(record, role)
    }

    private func stop(_ pids: [pid_t], _ fault: Fault) async throws {
        guard let first = pids.first, Foundation.kill(first, SIGSTOP) == 0 else { throw ChaosError("\(pids) could not be stopped") }
        note(fault)
        for pid in pids.dropFirst() { Foundation.kill(pid, SIGSTOP) }
        await pause(.milliseconds(fault.outage))
        for pid in pids.reversed() { Foundation.kill(pid, SIGCONT) }
    }

    private func cut(_ fault: Fault) async throws {
        let scissors = Scissors(servers: stack.servers, database: database)
        let start = ContinuousClock.now
        let victim = fault.kind == .cutBroker ? try await scissors.cutBroker(fault.target) : try await scissors.cutDatabase(fault.target)
        guard let victim else { return skip(fault, "no connection was cut") }
        note(fault, on: victim, at: start)
    }

    /// Notes when the process that was just started is ready, if nobody hits it before. Others need not wait for that.
    private func watch(_ record: Int, _ role: ChaosStack.Role) async {
        let (fault, start) = (records[record].fault, records[record].at)
        guard let process = await stack.process(role, fault.target) else { return }
        watches.append(
            Task {
                let deadline = ContinuousClock.now + .seconds(120)
                while process.status == nil {
                    if await stack.isReady(role, fault.target), process.status == nil {
                        records[record].ready = ContinuousClock.now - start
                        return
                    }
                    guard ContinuousClock.now < deadline else { return note(failure: "\(fault): not ready two minutes later") }
                    await pause(.milliseconds(20))
                }
            }
        )
    }

    func pid(_ role: ChaosStack.Role, _ index: Int) async throws -> pid_t {
        guard let process = await stack.process(role, index), process.status == nil else {
            throw ChaosError("\(await stack.name(role, index)) does not run")
        }
        return process.pid
    }
}
