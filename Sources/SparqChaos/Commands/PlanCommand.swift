import ArgumentParser

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "plan", abstract: "Prints the plan of a seed.")

    @OptionGroup var stack: StackOptions
    @OptionGroup var plan: PlanOptions
    @Option(help: "The seed.") var seed: UInt64

    func run() throws {
        for fault in try plan.plan(seed: seed, stack).faults { say("\(fault)") }
    }
}
