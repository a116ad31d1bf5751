import ArgumentParser

struct RollingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rolling",
        abstract: "Restarts all fronts, then all workers, one after the other and orderly, under load."
    )

    @OptionGroup var stack: StackOptions
    @OptionGroup var load: LoadOptions

    func run() async throws {
        let seed = load.seed ?? .random(in: 1...999_999)
        let title =
            "rolling restart, seed \(seed), \(load.clients) clients, \(Int(load.rate)) messages/s, "
            + "\(stack.fronts) fronts, \(stack.workers) workers"
        let session = Session(
            layout: stack.layout,
            settings: load.settings(seed: seed, isRestless: false),
            settle: .seconds(load.settle),
            planned: stack.fronts + stack.workers,
            isOrderly: true
        )
        let report = try await session.run(title: title, duration: nil) { injector, _ in await injector.rollEverything() }
        say(report.text)
        if !report.isClean { throw ExitCode.failure }
    }
}
