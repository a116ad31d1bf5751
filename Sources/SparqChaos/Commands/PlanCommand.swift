import ArgumentParser

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "plan", abstract: "Prints the plan of a seed.")

    @OptionGroup var plan: PlanOptions
    @Option(help: "The seed.") var seed: UInt64

    func run() throws {
        for fault in FaultPlan(seed: seed, duration: plan.milliseconds, kinds: try plan.kinds).faults { say("\(fault)") }
    }
}
