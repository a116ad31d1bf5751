import NIOCore
import SparqWire

@testable import SparqFront

/// A shard without an event loop: time and turns are the test's.
final class TestShard {
    let forwarder: FakeForwarder
    private(set) var shard: Shard
    var now = 1_000_000_000
    private var later: [() -> Void] = []
    private var inputs: [NodeInput] = []
    /// What connections gave up, and what was overdue.
    private(set) var lost: [UnansweredBatch] = []
    private(set) var late: [UnansweredBatch] = []

    init(index: Int = 0, forwarder: FakeForwarder? = nil, settings: ConnectionSettings = ConnectionSettings(node: "f-test")) {
        let forwarder = forwarder ?? FakeForwarder(lanes: settings.lanes)
        self.forwarder = forwarder
        // Replaced at once: the environment needs `self`.
        shard = Shard(
            index: index,
            settings: settings,
            forwarder: forwarder,
            environment: ShardEnvironment(now: { 0 }, wallClock: { 0 }, later: { _ in }, tell: { _ in })
        )
        shard = Shard(
            index: index,
            settings: settings,
            forwarder: forwarder,
            environment: ShardEnvironment(
                now: { [unowned self] in now },
                wallClock: { 1_700_000_000_000 },
                later: { [unowned self] in later.append($0) },
                tell: { [unowned self] in inputs += $0 },
                unanswered: { [unowned self] in if $0.isGivenUp { lost.append($0) } else { late.append($0) } }
            )
        )
    }

    /// Ends a turn of the loop.
    func turn() {
        shard.finishTurn()
        while !later.isEmpty {
            let closures = later
            later = []
            for closure in closures { closure() }
        }
        shard.finishTurn()
    }

    func takeInputs() -> [NodeInput] {
        defer { inputs = [] }
        return inputs
    }

    /// A socket that is not welcomed yet.
    func connect(user: String = "alice") -> (Connection, FakeSocket) {
        let socket = FakeSocket()
        let connection = shard.makeConnection(user: user, socket: socket)
        connection.opened(agent: nil, peer: nil)
        turn()
        return (connection, socket)
    }

    /// A socket that is welcomed, with nothing left of that.
    func open(user: String = "alice") throws -> (Connection, FakeSocket) {
        let (connection, socket) = connect(user: user)
        _ = try forwarder.takeEnvelopes()
        done(connection, 1)
        _ = socket.takeTexts()
        return (connection, socket)
    }

    func done(_ connection: Connection, _ ordinal: Int, _ reply: String? = nil) {
        shard.apply([.done(connection.id, ordinal: ordinal, reply: reply.map { Array($0.utf8)[...] }, session: nil)])
        turn()
    }

    func receive(_ connection: Connection, _ text: String) { connection.received(ByteBuffer(string: text)) }
}
