import ArgumentParser

@main
struct Sparq: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sparq",
        abstract: "A distributed event processor for WebSocket clients, on RabbitMQ and PostgreSQL.",
        subcommands: [FrontCommand.self, WorkerCommand.self, Migrate.self, DeadCommand.self, BenchCommand.self]
    )
}
