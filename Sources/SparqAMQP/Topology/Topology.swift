/// What must be there before work begins. Declared after every connect and reconnect: exchanges, then queues, then bindings, each in
/// the order given. Declaring what is there already changes nothing; declaring it differently is refused by the broker with 406.
public struct Topology: Sendable, Hashable {
    /// Declared first.
    public var exchanges: [Exchange]
    /// Declared second.
    public var queues: [Queue]
    /// Declared last.
    public var bindings: [Binding]

    /// A topology; empty by default.
    public init(exchanges: [Exchange] = [], queues: [Queue] = [], bindings: [Binding] = []) {
        self.exchanges = exchanges
        self.queues = queues
        self.bindings = bindings
    }
}
