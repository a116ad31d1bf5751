import ArgumentParser
import CAllocationCount
import Foundation

/// `sparq-micro`: what single steps of a message's way cost, without servers.
@main
struct SparqMicro: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sparq-micro",
        abstract: "Time and allocations of single steps, as a Markdown table."
    )

    @Option(help: "This operation alone.") var only: String?
    @Option(help: "Run the operation so many times and print nothing: a fixed load for callgrind.") var fixed: Int?
    @Flag(help: "The operations' names.") var list = false
    @Flag(help: "Count allocations alone, and fail where an operation makes more than its ceiling.") var check = false

    func run() throws {
        let operations = Operation.all.filter { only == nil || $0.name == only }
        guard !operations.isEmpty else { throw ValidationError("there is no such operation") }
        if list {
            for operation in operations { print(operation.name) }
        } else if let fixed {
            for operation in operations { try operation.run(fixed) }
        } else if check {
            try checkCeilings(operations)
        } else {
            print("| operation | ns | fastest | allocations | bytes allocated |\n|---|---|---|---|---|")
            for operation in operations {
                let cost = try Measurement(operation)
                let allocations = allocation_is_counted() ? String(format: "%.2f | %.0f", cost.allocations, cost.bytes) : "? | ?"
                print(String(format: "| \(operation.what) | %.0f | %.0f | \(allocations) |", cost.nanoseconds, cost.fastest))
            }
        }
    }

    private func checkCeilings(_ operations: [Operation]) throws {
        guard allocation_is_counted() else { throw MicroError("allocations cannot be counted here") }
        var exceeded = false
        for operation in operations {
            let allocations = try Measurement.allocations(of: operation).count
            let isHigh = allocations > operation.ceiling
            exceeded = exceeded || isHigh
            print(
                "\(operation.name): \(String(format: "%.2f", allocations)) allocations, at most \(operation.ceiling)\(isHigh ? " EXCEEDED" : "")"
            )
        }
        if exceeded { throw ExitCode.failure }
    }
}
