import ArgumentParser

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Random faults from a seed, under load; fails where anything that must be zero is not."
    )

    @OptionGroup var stack: StackOptions
    @OptionGroup var load: LoadOptions
    @OptionGroup var plan: PlanOptions

    func run() async throws {
        let seed = load.seed ?? .random(in: 1...999_999)
        let faults = try plan.plan(seed: seed, stack)
        say("seed \(seed), \(faults.faults.count) faults:")
        for fault in faults.faults { say("  \(fault)") }
        let title =
            "seed \(seed), \(plan.milliseconds / 1_000) s, \(load.clients) clients, \(Int(load.rate)) messages/s, "
            + "\(stack.fronts) fronts, \(stack.workers) workers"
        let session = Session(
            layout: stack.layout,
            settings: load.settings(seed: seed, isRestless: true),
            settle: .seconds(load.settle),
            planned: faults.faults.count
        )
        let report = try await session.run(title: title, duration: .milliseconds(plan.milliseconds)) { injector, start in
            await injector.run(faults, from: start)
        }
        say(report.text)
        if !report.isClean { throw ExitCode.failure }
    }
}
