import ArgumentParser
import Messenger
import SparqWire
import SparqWorker

/// `sparq dead show`.
struct DeadShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one letter with its message.")

    @Argument(help: "The letter's id, or its number in the list.")
    var letter: String

    @OptionGroup var options: DeadCommand.Options
    @Flag(help: "One JSON object.")
    var json = false

    func run() async throws {
        let found = try await options.withLetters { try await $0.find(letter) }
        var router = Router()
        Messenger.register(on: &router)
        // The broker buries batches as they are, those of secret types too.
        let messages = found.envelopes.map { router.isSecret($0.type) ? $0.redacted.message : $0.message }
        if json {
            var writer = JSONWriter()
            DeadText.write(found, messages: messages, into: &writer)
            print(String(decoding: writer.bytes, as: UTF8.self))
        } else {
            for line in DeadText.lines(found, messages: messages) { print(line) }
        }
    }
}
