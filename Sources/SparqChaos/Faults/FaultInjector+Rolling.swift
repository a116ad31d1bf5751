/// An operator's restart of everything.
extension FaultInjector {
    /// All fronts, then all workers, one by one; the next begins when the one before is ready again.
    func rollEverything() async {
        let layout = stack.layout
        await pause(.seconds(3))
        for (role, kind, count) in [
            (ChaosStack.Role.front, FaultKind.restartFront, layout.fronts), (.worker, .restartWorker, layout.workers),
        ] {
            for index in 0..<count {
                let fault = Fault(kind: kind, at: 0, outage: 0, target: index)
                do {
                    try await restart(role, index, fault)
                    try await stack.awaitReady(role, index, within: .seconds(60))
                } catch {
                    note(failure: "\(kind.rawValue) \(index + 1): \(error)")
                }
                await pause(.seconds(1))
            }
        }
        await pause(.seconds(2))
        await awaitWatches()
    }
}
