import ArgumentParser
import Logging
import SparqPostgres
import SystemPackage

/// `sparq migrate up | status | new NAME`.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Apply, list and begin the database's migrations, and apply its functions.",
        subcommands: [Up.self, Status.self, New.self]
    )

    /// What all three take.
    struct Options: ParsableArguments {
        @Option(help: "Folder with the numbered SQL files (SPARQ_MIGRATIONS).")
        var migrations: String?

        @Option(help: "Address of the database (SPARQ_POSTGRES_URL).")
        var postgresURL: String?

        func settings() async throws -> Settings {
            try await Settings(overrides: ["SPARQ_MIGRATIONS": migrations, "SPARQ_POSTGRES_URL": postgresURL])
        }
    }

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Apply what is pending.")
        @OptionGroup var options: Options

        func run() async throws {
            let settings = try await options.settings()
            let migrator = settings.migrator
            let (applied, status) = try await settings.withPool { pool in
                (try await migrator.apply(using: pool), try await migrator.status(using: pool))
            }
            for migration in applied.migrations { print("applied \(migration.file)") }
            for function in applied.functions { print("applied function \(function)") }
            if applied.isEmpty { print("nothing to apply") }
            if let last = status.migrations.last, last.state == .newer {
                print("the database is newer: \(last.version)_\(last.name) is none of these files")
            } else if status.functions.contains(where: { $0.state == .newer }) {
                print("the database is newer: its functions are of a later revision")
            }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all migrations and functions, and where each stands.")
        @OptionGroup var options: Options

        func run() async throws {
            let settings = try await options.settings()
            let all = try await settings.withPool { pool in try await settings.migrator.status(using: pool) }
            for status in all.migrations {
                let number = String(repeating: "0", count: max(0, 4 - String(status.version).count)) + String(status.version)
                print("\(number)_\(status.name)  \(status.state.rawValue)")
            }
            for status in all.functions { print("\(status.name)  \(status.state.rawValue)") }
        }
    }

    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Write an empty migration with the next number.")
        @OptionGroup var options: Options
        @Argument(help: "Its name: letters a to z, digits and underscores.")
        var name: String

        func run() async throws {
            let settings = try await options.settings()
            print(try settings.migrator.create(name: name))
        }
    }
}

extension Settings {
    /// The folder with the migrations.
    var migrations: String { text("SPARQ_MIGRATIONS") ?? "db/migrations" }

    /// Applies the migrations, and the functions of the folder `functions` beside theirs.
    var migrator: Migrator {
        Migrator(directory: migrations, functions: FilePath(migrations).removingLastComponent().appending("functions").string)
    }

    /// Where the database is, and the limits.
    func postgres(applicationName: String) throws -> PostgresConfiguration {
        let name = "SPARQ_POSTGRES_URL"
        var configuration = try value(name, requiredText(name)) { try PostgresConfiguration(url: $0) }
        configuration.applicationName = applicationName
        configuration.poolSize = try integer("SPARQ_POSTGRES_POOL", default: configuration.poolSize, in: 1...1000)
        configuration.idleInTransactionTimeout = try milliseconds(
            "SPARQ_POSTGRES_IDLE_MS",
            default: configuration.idleInTransactionTimeout,
            in: 100...600_000
        )
        return configuration
    }

    /// Runs a body with a pool that lives as long as it.
    func withPool<Result: Sendable>(_ body: @Sendable (PostgresPool) async throws -> Result) async throws -> Result {
        try await PostgresPool.with(try postgres(applicationName: "sparq-migrate"), logger: try makeLogger("sparq.migrate"), body)
    }
}
