import ArgumentParser
import SparqWorker

/// `sparq dead drop`.
struct DeadDrop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "drop", abstract: "Remove letters for good.")

    @OptionGroup var choice: DeadCommand.Choice
    @OptionGroup var options: DeadCommand.Options

    func run() async throws {
        try await options.withLetters { try await $0.drop(choice.selection) }.report("dropped")
    }
}
