import ArgumentParser
import SparqWire

@main
struct MessengerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sparq",
        abstract: "A distributed event processor for WebSocket clients, on RabbitMQ and PostgreSQL.",
        version: SparqVersion.text,
        subcommands: [FrontCommand.self, WorkerCommand.self, Migrate.self, DeadCommand.self, BenchCommand.self]
    )

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        HiddenArguments.hide()
        await main(arguments)
    }
}
