/// A process that faults are done to, and that may be down.
enum Victim: Hashable, Sendable {
    case process(ChaosStack.Role, Int)
    case server(Servers.Server)

    /// Whom a fault hits of those that are not down. Somebody who is down gives way to the next of the kind; where all are down there is nobody.
    static func of(_ fault: Fault, in layout: ChaosStack.Layout, down: Set<Victim>) -> [Victim] {
        let fronts = (0..<layout.fronts).map { Victim.process(.front, $0) }
        let workers = (0..<layout.workers).map { Victim.process(.worker, $0) }
        func first(_ all: [Victim]) -> [Victim] {
            let order = all.indices.map { all[(fault.target + $0) % all.count] }
            return order.first { !down.contains($0) }.map { [$0] } ?? []
        }
        return switch fault.kind.victim {
        case .front: first(fronts)
        case .worker: first(workers)
        case .rabbitMQ: first([.server(.rabbitmq)])
        case .postgres: first([.server(.postgres)])
        case .workers: workers.filter { !down.contains($0) }
        case .everything: (fronts + workers + [.server(.rabbitmq), .server(.postgres)]).filter { !down.contains($0) }
        }
    }
}
