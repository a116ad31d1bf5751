import ArgumentParser
import Foundation

/// Where things are, and how many processes there shall be.
struct StackOptions: ParsableArguments {
    @Option(help: "The repository's root.") var root = FileManager.default.currentDirectoryPath
    @Option(help: "Folder for servers, logs and process ids; what lies there from an earlier run is removed.") var folder = ".stack-chaos"
    @Option(help: "The sparq binary; by default the one beside this program.") var binary: String?
    @Option(help: "Fronts.") var fronts = 3
    @Option(help: "Workers.") var workers = 3
    @Option(help: "Log level of fronts and workers.") var logLevel = "info"

    func validate() throws {
        guard (1...20).contains(fronts), (1...20).contains(workers) else { throw ValidationError("1 to 20 fronts and workers") }
    }

    var layout: ChaosStack.Layout {
        let root = URL(fileURLWithPath: root)
        let beside = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("sparq").path
        return ChaosStack.Layout(
            root: root,
            folder: URL(fileURLWithPath: folder, relativeTo: root).absoluteURL,
            binary: binary ?? beside,
            fronts: fronts,
            workers: workers,
            logLevel: logLevel
        )
    }
}
