import ArgumentParser

struct SabotageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sabotage",
        abstract: "Shows that the checker can fail: faults built into a debug build on purpose must be found, and nothing without them."
    )

    @OptionGroup var stack: StackOptions
    @Option(help: "Kinds, separated by commas; by default all.") var kinds: String?

    func run() async throws {
        let wanted = try kinds?.split(separator: ",").map {
            guard let kind = SabotageKind(rawValue: String($0)) else { throw ValidationError("no sabotage is called \($0)") }
            return kind
        }
        var layout = stack.layout
        layout.fronts = 2
        layout.workers = 1
        let outcomes = try await SabotageTrial(layout: layout, kinds: wanted ?? SabotageKind.allCases).run()
        let wrong = outcomes.filter { !$0.isRight }
        say(wrong.isEmpty ? "Every sabotage was found, and nothing without it." : "\(wrong.count) of \(outcomes.count) WRONG")
        if !wrong.isEmpty { throw ExitCode.failure }
    }
}
