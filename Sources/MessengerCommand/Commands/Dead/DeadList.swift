import ArgumentParser
import SparqWire
import SparqWorker

/// `sparq dead list`.
struct DeadList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the letters, the oldest first.")

    @OptionGroup var options: DeadCommand.Options
    @Flag(help: "One JSON array, without the messages themselves.")
    var json = false

    func run() async throws {
        let letters = try await options.withLetters { try await $0.list() }
        if json {
            var writer = JSONWriter()
            writer.array(letters) { letter, writer in DeadText.write(letter, messages: nil, into: &writer) }
            print(String(decoding: writer.bytes, as: UTF8.self))
        } else if letters.isEmpty {
            print("no dead letters")
        } else {
            for line in DeadText.table(letters) { print(line) }
            if letters.count == options.limit { print("there may be more: --limit") }
        }
    }
}
