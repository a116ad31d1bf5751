import ArgumentParser
import SparqBench

struct BenchNeighbours: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "neighbours",
        abstract: "How long bystanders wait while somebody else is a nuisance.",
        discussion: "Needs a stack of two fronts as scripts/neighbours starts it. Prints a line of JSON, also where it fails."
    )
    @OptionGroup var options: BenchOptions
    @Option(help: "\(Neighbours.names.joined(separator: ", ")).") var attack = Neighbours.quiet
    @Option(help: "Bystanders.") var connections = 40
    @Option(help: "The process of the last --front.") var lastFront: Int?
    @Option(help: "The database's address without its password, which psql finds in PGPASSWORD.") var database: String?

    func run() async throws {
        var settings = try options.settings()
        settings.pace = .rate(options.rate ?? 200)
        let neighbours = try Neighbours(
            attack: attack,
            fronts: options.fronts(),
            connections: connections,
            settings: settings,
            lastFront: lastFront,
            database: database
        )
        print(try neighbours.run().json())
    }
}

struct BenchNeighbourTable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "neighbour-table",
        abstract: "Those measurements (lines of JSON on standard input) as a Markdown table; fails where an attack does harm."
    )

    func run() async throws {
        var lines: [String] = []
        while let line = readLine() { lines.append(line) }
        let table = try NeighbourTable(lines: lines)
        print(table.markdown)
        if !table.isSound { throw ExitCode.failure }
    }
}
