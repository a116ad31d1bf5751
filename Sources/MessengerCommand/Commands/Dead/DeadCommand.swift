import SparqAMQP
import ArgumentParser
import SparqWorker

/// `sparq dead list | show | retry | drop`.
struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead",
        abstract: "List, show, retry and drop messages that failed for good.",
        subcommands: [DeadList.self, DeadShow.self, DeadRetry.self, DeadDrop.self]
    )

    /// What all of them take.
    struct Options: ParsableArguments {
        @Option(help: "Address of the broker (SPARQ_AMQP_URL).")
        var amqpURL: String?

        @Option(help: "How many letters to look at, the oldest first.")
        var limit = 1000

        func validate() throws {
            guard (1...100_000).contains(limit) else { throw ValidationError("--limit is a number from 1 to 100000.") }
        }

        /// Runs a body with the dead letters of the broker.
        func withLetters<Result: Sendable>(_ body: (DeadLetters) async throws -> Result) async throws -> Result {
            let settings = try await Settings(overrides: ["SPARQ_AMQP_URL": amqpURL])
            let session = try await AMQPSession(try settings.amqp(connectionName: "sparq-dead"))
            defer { session.close() }
            return try await body(DeadLetters(session: session, names: try settings.names(), limit: limit))
        }
    }

    /// Which letters `retry` and `drop` mean.
    struct Choice: ParsableArguments {
        @Argument(help: "The letter's id, as `list` shows it.")
        var id: String?

        @Flag(help: "All letters, up to the limit.")
        var all = false

        func validate() throws {
            guard (id != nil) != all else { throw ValidationError("Name one letter's id, or --all.") }
        }

        var selection: DeadLetters.Selection { id.map { .id($0) } ?? .all }
    }
}

extension DeadLetters.Outcome {
    /// Says what happened; a failing status where a letter had to stay, and where the broker did not confirm all of it.
    func report(_ verb: String) throws {
        for letter in settled { print("\(verb) \(letter.id)") }
        for (letter, obstacle) in kept { print("kept \(letter.id): \(obstacle)") }
        for letter in unconfirmed { print("unconfirmed \(letter.id): the broker was lost; it may lie in the queue still") }
        if let failure { throw failure }
        if settled.isEmpty, kept.isEmpty { print("no dead letters") }
        if !kept.isEmpty { throw ExitCode.failure }
    }
}
