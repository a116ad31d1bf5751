import ArgumentParser

@main
struct Sparq: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "sparq")
}
