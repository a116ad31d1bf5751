public import SparqAMQP
public import SparqPostgres
public import SparqWire

/// Where a worker's servers are, and how much it takes on at once.
public struct WorkerConfiguration: Sendable {
    /// The broker.
    public var amqp: AMQPConfiguration
    /// The database. The size of its pool is for what handlers and policies ask, two at least. Commits have ``commitsInFlight`` connections more, housekeeping
    /// and look-ups two, and what nodes ask has one.
    public var postgres: PostgresConfiguration
    /// The lane that it serves, beside ``LaneMap/nodeLane``, which all workers serve.
    public var lane = LaneMap.defaultLane
    /// Names of exchanges and queues.
    public var names = BrokerNames()
    /// How many AMQP messages, each a batch, it holds at once.
    public var prefetch: UInt16 = 64
    /// How many AMQP messages of nodes it holds at once, beside those of its lane.
    public var nodePrefetch: UInt16 = 64
    /// How many commits may be on their way at once.
    public var commitsInFlight = 2
    /// The most messages of one commit.
    public var commitMessages = 512
    /// The most bytes of data of one commit, about.
    public var commitBytes = 1 << 20
    /// The most bytes of one AMQP message to a node; a larger one carries a single line.
    public var deliveryBytes = 256 << 10
    /// How long one run of a handler, or of a policy, may take, where its type has no limit of its own. Then it counts as failed in passing.
    public var handlerTimeLimit: Duration = .seconds(30)
    /// How many handlers that did not end in their time, and that do not care that they are cancelled, may go on without a slot. Further ones keep
    /// theirs, and the worker is not ready.
    public var strayHandlers = 32
    /// When a message whose handler threw ``TransientFailure`` is tried again; after the last it goes to the dead letters.
    public var retryDelays: [Duration] = [.milliseconds(500), .seconds(2), .seconds(10), .seconds(30)]
    /// How long internal errors of the database (class XX) are waited out. They may be about certain rows: after this the messages are tried
    /// one by one, and after as long again the one that still fails is tried again later, as if its handler had thrown ``TransientFailure``.
    public var defectPatience: Duration = .seconds(30)
    /// How what workers may have died over is told from what they did die over.
    public var suspects = SuspectSettings()
    /// The fronts' deadline for a reply: what nobody waits for any more is told by it. The same on fronts.
    public var replyDeadline: Duration = .seconds(10)
    /// How long a node lives without renewing its lease. Whole seconds.
    public var leaseDuration: Duration = .seconds(15)
    /// How often to look for nodes whose lease ran out.
    public var reapInterval: Duration = .seconds(5)
    /// How long durable events are kept.
    public var eventRetention: Duration = .seconds(30 * 86400)
    /// How long messages are remembered, so that repeats are recognised.
    public var inboxRetention: Duration = .seconds(86400)
    /// How often to look for rows that are too old.
    public var retentionInterval: Duration = .seconds(60)
    /// How long a graceful shutdown waits for what is in hand.
    public var drainLimit: Duration = .seconds(25)

    /// The defaults, with two servers.
    public init(amqp: AMQPConfiguration, postgres: PostgresConfiguration) {
        self.amqp = amqp
        self.postgres = postgres
    }
}
