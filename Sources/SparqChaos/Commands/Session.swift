import SparqPostgres

/// One run: a stack, load, something that happens to it, the settling, the check.
struct Session: Sendable {
    let layout: ChaosStack.Layout
    let settings: LoadSettings
    let settle: Duration
    /// How many faults there are to be.
    let planned: Int
    /// Clients may see nothing but the reconnect.
    var isOrderly = false

    /// - Parameter duration: of the load; `nil` is as long as `trouble` takes.
    func run(
        title: String,
        duration: Duration?,
        trouble: @escaping @Sendable (FaultInjector, ContinuousClock.Instant) async -> Void
    ) async throws -> Report {
        let stack = ChaosStack(layout: layout)
        do {
            say("Starting \(layout.fronts) fronts, \(layout.workers) workers and their servers …")
            try await stack.start()
            let report = try await Database.withPool(at: await stack.postgresURL) { try await run(stack, $0, title, duration, trouble) }
            await stack.stop()
            return report
        } catch {
            await stack.stop()
            throw error
        }
    }

    private func run(
        _ stack: ChaosStack,
        _ database: PostgresPool,
        _ title: String,
        _ duration: Duration?,
        _ trouble: @escaping @Sendable (FaultInjector, ContinuousClock.Instant) async -> Void
    ) async throws -> Report {
        let (sockets, urls) = (await stack.socketURLs, await stack.messageURLs)
        say("Registering \(settings.users) users in \(settings.rooms) rooms …")
        let tokens = try await Community(settings: settings, urls: urls).found()
        let limit = duration ?? .seconds(60 * (layout.fronts + layout.workers))
        let deadline = ContinuousClock.now + .seconds(60) + limit + settle
        let load = Load(settings: settings, tokens: tokens, sockets: sockets, urls: urls, deadline: deadline)
        let probes = Probes(token: tokens["probe"] ?? "", sockets: sockets, seed: settings.seed, deadline: deadline)
        try await load.open()
        try await probes.open()
        let watched = (0..<settings.users).map(settings.user) + ["probe"]
        let onlooker = try Onlooker(of: watched, token: tokens[settings.visitor(0)] ?? "", sockets: sockets, seed: settings.seed)
        try await onlooker.open()
        let injector = FaultInjector(stack: stack, database: database)
        let start = ContinuousClock.now
        say("Under load:")
        let ending = Ending(at: start + limit)
        async let talking: Void = load.talk(until: ending)
        async let probing: Void = probes.probe(until: ending)
        await trouble(injector, start)
        if duration == nil { ending.now() }
        await pause(ending.at - ContinuousClock.now)
        let substance = Substance(rate: settings.rate, duration: ContinuousClock.now - start, planned: planned)
        say("All is healed; waiting for answers …")
        _ = await (talking, probing)
        let reader = DatabaseReader(pool: database)
        let heads = try await reader.heads()
        say("Waiting for events …")
        let arrival = min(deadline, ContinuousClock.now + settle)
        await load.catchUp(to: heads, until: arrival)
        for client in probes.clients { await Load.catchUp(client, to: heads, until: arrival) }
        let missed = await onlooker.others(than: true, until: arrival)
        // What would come twice or out of nowhere gets a moment to do so.
        await pause(.seconds(1))
        let spoken = await load.journals()
        let journals = spoken + (await Load.journals(of: probes.clients))
        // Nobody is connected any more but the one who looks on.
        let ghosts = await onlooker.others(than: false, until: ContinuousClock.now + settle)
        await onlooker.close()
        var verdict = Checker.check(journals, against: try await reader.contents(), isOrderly: isOrderly)
        verdict.note(.presence, count: missed.count, "\(missed.prefix(5)) were not seen")
        verdict.note(.presence, count: ghosts.count, "\(ghosts.prefix(5)) were seen when they had gone")
        let letters = try await stack.servers.deadLetters()
        verdict.note(.deadLetter, count: letters, "\(letters) lie there")
        var report = Report(title: title, verdict: verdict)
        report.latencies = (await load.latencies.percentile(0.5), await load.latencies.percentile(0.99), await load.latencies.percentile(1))
        for record in await injector.records {
            let time = await probes.recovery(after: record.at)
            report.recoveries.append(
                Report.Recovery(kind: record.fault.kind, time: time?.wholeMilliseconds, ready: record.ready?.wholeMilliseconds)
            )
        }
        report.skipped = await injector.skipped
        report.failures = await injector.failures
        report.failures += substance.failures(spoken, done: report.recoveries.count, skipped: report.skipped.count)
        for role in [ChaosStack.Role.front, .worker] {
            for index in 0..<(role == .front ? layout.fronts : layout.workers) {
                guard let status = await stack.crashed(role, index) else { continue }
                report.failures.append("\(await stack.name(role, index)) ended by itself with \(status)")
            }
        }
        return report
    }
}
