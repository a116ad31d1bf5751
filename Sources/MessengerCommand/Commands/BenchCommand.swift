import SparqAMQP
import ArgumentParser
import Foundation
import SparqBench

/// `sparq bench`: how much a stack carries.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a stack that runs. Workers need SPARQ_BENCH=true for echo; fronts a high SPARQ_RATE.",
        subcommands: [
            BenchEcho.self, BenchDurable.self, BenchFanout.self, BenchConnections.self, BenchBroker.self, BenchReport.self,
            BenchBareSender.self, BenchNeighbours.self, BenchNeighbourTable.self,
        ]
    )
}

/// What all measurements take.
struct BenchOptions: ParsableArguments {
    @Option(help: "A front, host:port; may be given several times.")
    var front: [String] = ["127.0.0.1:8080"]

    @Option(help: "A process whose CPU time is read, name=pid; names: front, worker, broker, database. By default those found here.")
    var pid: [String] = []

    @Option(help: "Seconds of the measurement.")
    var seconds = 10.0

    @Option(help: "Seconds before it.")
    var warmUp = 2.0

    @Option(help: "Bytes of a message's JSON.")
    var bytes = 200

    @Option(help: "Messages of each sender that are on their way (closed loop).")
    var window = 8

    @Option(help: "Messages a second of all senders together (open loop; latency counts from when a message was due).")
    var rate: Double?

    @Flag(help: "Print one line of JSON instead of a table.")
    var json = false

    @Flag(help: "No progress on standard error.")
    var quiet = false

    func fronts() throws -> [Address] { try front.map { try Address($0) } }

    func settings() throws -> LoadSettings {
        RaisedLimits.raiseOpenFiles()
        guard bytes >= 100, window >= 1, seconds > 0, warmUp >= 0 else { throw ValidationError("bytes: 100 at least; window: 1 at least") }
        var settings = LoadSettings(processes: try WatchedProcesses(pid))
        settings.pace = rate.map { .rate($0) } ?? .window(window)
        settings.bytes = bytes
        settings.seconds = seconds
        settings.warmUp = warmUp
        settings.showsProgress = !quiet
        return settings
    }

    /// Prints the outcome; nothing at all is a failure, and anything lost, repeated or out of order.
    func finish(_ result: BenchResult) throws {
        print(json ? try result.json() : result.table)
        if !result.isSound { throw ExitCode.failure }
    }
}

struct BenchEcho: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "echo", abstract: "Messages with a reply and no commit.")
    @OptionGroup var options: BenchOptions
    @Option(help: "Sockets.") var connections = 100
    @Flag(help: "Each is subscribed to a room of its own, in which nothing happens.") var rooms = false

    func run() async throws {
        let echo = Echo(fronts: try options.fronts(), connections: connections, hasRooms: rooms, settings: try options.settings())
        try options.finish(try echo.run())
    }
}

struct BenchDurable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "durable",
        abstract: "Appends to rooms: reply, event back to the sender, and to a subscriber at another front (the last --front)."
    )
    @OptionGroup var options: BenchOptions
    @Option(help: "Senders; each has a room of its own.") var connections = 100
    @Option(help: "Topics of each connection; all but one stay silent.") var topics = 1

    func run() async throws {
        guard (1...512).contains(topics) else { throw ValidationError("topics: 1 to 512") }
        let durable = Durable(fronts: try options.fronts(), connections: connections, topics: topics, settings: try options.settings())
        try options.finish(try durable.run())
    }
}

struct BenchFanout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "fanout", abstract: "One sender, many receivers over all fronts.")
    @OptionGroup var options: BenchOptions
    @Option(help: "Sockets that receive.") var receivers = 1000
    @Flag(help: "The yardstick instead: a bare program that only sends the same frames to as many sockets.") var bare = false
    @Option(help: "Frames that the yardstick sends at once to a socket, as a front joins them.") var joined = 1

    func run() async throws {
        let fanout = Fanout(fronts: try options.fronts(), receivers: receivers, settings: try options.settings())
        try options.finish(try bare ? fanout.runBare(program: "/proc/self/exe", joined: max(1, joined)) : fanout.run())
    }
}

struct BenchConnections: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connections",
        abstract: "Idle sockets, logged in, with a room of their own each: arrival and memory. Needs the fronts' processes on this machine."
    )
    @OptionGroup var options: BenchOptions
    @Option(help: "Sockets.") var connections = 5000
    @Option(help: "How many may be in the middle of their arrival.") var atOnce = 256

    func run() async throws {
        RaisedLimits.raiseOpenFiles()
        let processes = try WatchedProcesses(options.pid)
        try options.finish(
            try IdleConnections(fronts: options.fronts(), connections: connections, atOnce: atOnce, processes: processes).run()
        )
    }
}

struct BenchBroker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "The yardstick: the bare AMQP pipeline on the same kinds of queues. --window counts AMQP messages."
    )
    @OptionGroup var options: BenchOptions
    @Option(help: "Messages in each AMQP message.") var batch = 1
    @Option(help: "Address of the broker (SPARQ_AMQP_URL).") var amqpURL: String?

    func run() async throws {
        let settings = try await Settings(overrides: ["SPARQ_AMQP_URL": amqpURL])
        let broker = try settings.amqp(connectionName: "sparq-bench")
        try options.finish(try await BrokerPipeline(broker: broker, batch: batch, settings: options.settings()).run())
    }
}

struct BenchBareSender: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "bare-sender", shouldDisplay: false)
    @Option var receivers: Int
    @Option var bytes: Int
    @Option var joined: Int

    func run() async throws {
        RaisedLimits.raiseOpenFiles()
        try BareSender(receivers: receivers, bytes: bytes, joined: joined).run()
    }
}

struct BenchReport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Medians and ratios of measurements (lines of JSON on standard input), as a Markdown table."
    )

    @Flag(help: "Everything was to be measured: a goal without a figure is a failure.") var whole = false

    func run() async throws {
        var lines: [String] = []
        while let line = readLine() { lines.append(line) }
        let report = try Report(lines: lines)
        print(report.markdown(isWhole: whole))
        if whole, !report.isWhole { throw ExitCode.failure }
    }
}
