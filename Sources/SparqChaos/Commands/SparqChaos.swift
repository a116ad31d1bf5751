import ArgumentParser

@main struct SparqChaos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sparq-chaos",
        abstract: "Kills, pauses and cuts off a running Sparq under load, and counts what was lost, repeated or reordered.",
        subcommands: [RunCommand.self, RollingCommand.self, SabotageCommand.self, PlanCommand.self]
    )
}
