import ArgumentParser

/// How much load, and from which seed.
struct LoadOptions: ParsableArguments {
    @Option(help: "Clients.") var clients = 150
    @Option(help: "Messages per second by all of them together.") var rate = 60.0
    @Option(help: "The same seed makes the same plan of faults; random where it is absent.") var seed: UInt64?
    @Option(help: "How long to wait at the end until everything has arrived, in seconds.") var settle = 120

    func validate() throws {
        guard (1...5_000).contains(clients), rate > 0, settle > 0 else {
            throw ValidationError("clients, rate and settle must be positive")
        }
    }

    func settings(seed: UInt64, isRestless: Bool) -> LoadSettings {
        LoadSettings(clients: clients, rate: rate, seed: seed, isRestless: isRestless)
    }
}
