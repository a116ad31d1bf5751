import ArgumentParser

/// Which faults, and for how long.
struct PlanOptions: ParsableArguments {
    @Option(help: "Length of the load, in seconds.") var duration: Int?
    @Flag(help: "A minute, without the long pauses: for CI.") var short = false
    @Option(help: "Kinds of faults, separated by commas; by default all.") var faults: String?

    var milliseconds: Int { (duration ?? (short ? 60 : 180)) * 1_000 }

    func validate() throws {
        guard (5...86_400).contains(milliseconds / 1_000) else { throw ValidationError("the duration is 5 s at least") }
        _ = try kinds
    }

    /// The same for `run` and `plan`.
    func plan(seed: UInt64, _ stack: StackOptions) throws -> FaultPlan {
        FaultPlan(seed: seed, duration: milliseconds, kinds: try kinds, fronts: stack.fronts, workers: stack.workers)
    }

    var kinds: [FaultKind] {
        get throws {
            guard let faults else {
                // What takes long does not fit into a short run.
                let long: Set<FaultKind> = [.pauseFront, .pauseRabbitMQ, .pausePostgres, .refuseWrites, .killAll, .freezeDatabase]
                return FaultKind.allCases.filter { !short || !long.contains($0) }
            }
            return try faults.split(separator: ",").map {
                guard let kind = FaultKind(rawValue: String($0)) else {
                    throw ValidationError(
                        "no fault is called \($0); there are \(FaultKind.allCases.map(\.rawValue).joined(separator: ", "))"
                    )
                }
                return kind
            }
        }
    }
}
