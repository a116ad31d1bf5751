import SparqPostgres

/// Runs every scenario without and with its sabotage.
struct SabotageTrial: Sendable {
    let layout: ChaosStack.Layout
    let kinds: [SabotageKind]

    /// One scenario's outcome.
    struct Outcome: Sendable {
        let kind: SabotageKind
        let isSabotaged: Bool
        let verdict: Verdict
        /// Sabotaged, the symptom must show; sound, nothing may.
        var isRight: Bool { isSabotaged ? verdict.count(kind.symptom) > 0 : verdict.isClean }
    }

    func run() async throws -> [Outcome] {
        let stack = ChaosStack(layout: layout)
        do {
            try await stack.start()
            let outcomes = try await Database.withPool(at: await stack.postgresURL) { try await run(stack, $0) }
            await stack.stop()
            return outcomes
        } catch {
            await stack.stop()
            throw error
        }
    }

    private func run(_ stack: ChaosStack, _ pool: PostgresPool) async throws -> [Outcome] {
        let urls = await stack.messageURLs
        let tokens = try await Community(settings: LoadSettings(clients: 2), urls: urls).found()
        var outcomes: [Outcome] = []
        for (isSabotaged, kind) in kinds.map({ (false, $0) }) + kinds.map({ (true, $0) }) {
            if isSabotaged { try await sabotage(stack, kind) }
            let round = isSabotaged ? "sabotaged" : "sound"
            let verdict = try await Scenario(kind: kind, stack: stack, pool: pool, tokens: tokens, round: round).run()
            let outcome = Outcome(kind: kind, isSabotaged: isSabotaged, verdict: verdict)
            say("\(kind.rawValue), \(round): \(outcome.isRight ? "as it must be" : "WRONG") \(verdict.examples.prefix(3))")
            outcomes.append(outcome)
        }
        return outcomes
    }

    private func sabotage(_ stack: ChaosStack, _ kind: SabotageKind) async throws {
        await stack.changeSettings(["SPARQ_SABOTAGE": kind.rawValue])
        for (role, count) in [(ChaosStack.Role.worker, layout.workers), (.front, layout.fronts)] {
            for index in 0..<count {
                await stack.kill(role, index)
                try await stack.start(role, index)
            }
            for index in 0..<count { try await stack.awaitReady(role, index, within: .seconds(30)) }
        }
    }
}
