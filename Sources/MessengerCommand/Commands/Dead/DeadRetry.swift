import ArgumentParser
import SparqWorker

/// `sparq dead retry`.
struct DeadRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "retry", abstract: "Send letters back to the workers.")

    @OptionGroup var choice: DeadCommand.Choice
    @OptionGroup var options: DeadCommand.Options

    func run() async throws {
        try await options.withLetters { try await $0.retry(choice.selection) }.report("retried")
    }
}
