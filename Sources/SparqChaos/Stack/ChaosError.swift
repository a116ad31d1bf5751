/// Why a run could not be carried out: a fault of the harness or its surroundings, not of what is tested.
struct ChaosError: Error, Sendable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
