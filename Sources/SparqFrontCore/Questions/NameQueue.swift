import DequeModule

/// Names in the order in which they came, each once. A value without I/O; memory goes when it is empty.
struct NameQueue<Name: Hashable & Sendable>: Sendable {
    private var order: Deque<(name: Name, ticket: Int)> = []
    /// Of which of the places in the order counts: what was removed leaves its place behind until its turn.
    private var tickets: [Name: Int] = [:]
    private var lastTicket = 0

    var isEmpty: Bool { tickets.isEmpty }
    var count: Int { tickets.count }
    func contains(_ name: Name) -> Bool { tickets[name] != nil }

    /// Adds a name at the end; one that is there already keeps its place.
    mutating func append(_ name: Name) {
        guard tickets[name] == nil else { return }
        lastTicket += 1
        tickets[name] = lastTicket
        order.append((name, lastTicket))
        // Who adds and removes again and again while nobody takes.
        if order.count > 2 * tickets.count + 64 { order.removeAll { tickets[$0.name] != $0.ticket } }
    }

    mutating func remove(_ name: Name) {
        guard !tickets.isEmpty else { return }
        tickets[name] = nil
        if tickets.isEmpty { self = NameQueue() }
    }

    mutating func popFirst() -> Name? {
        while let (name, ticket) = order.popFirst() {
            guard tickets[name] == ticket else { continue }
            remove(name)
            return name
        }
        return nil
    }
}
