import SparqFrontCore
import SparqWebSocket

/// The orderly end of connections: each is told to reconnect after a delay of its own, and closed after it, when what it has on
/// its way is finished. Times in nanoseconds.
struct ShardDrain {
    private struct Leaving {
        var connection: Connection
        var at: Int
    }

    private let window: Int
    private let reason: String
    private var leaving: [Leaving] = []

    /// - Parameter reason: of the close.
    init(window: Int, reason: String) { (self.window, self.reason) = (window, reason) }

    /// Nobody is left to be closed.
    var isEmpty: Bool { leaving.isEmpty }

    /// Tells a connection to reconnect.
    mutating func add(_ connection: Connection, now: Int) {
        // Who is not welcomed yet is told when that has happened. Those who are told already leave as soon.
        guard connection.life.sendAway() else { return }
        let delay = Int.random(in: 0...max(window, 0))
        connection.write(Frames.reconnect(afterMilliseconds: delay / 1_000_000))
        leaving.append(Leaving(connection: connection, at: now + delay))
    }

    /// Closes those whose delay is over. `patience`: what is on its way may take so much longer.
    mutating func step(now: Int, patience: Int) {
        leaving.removeAll { leaving in
            guard leaving.at <= now else { return false }
            leaving.connection.stopReading()
            guard leaving.connection.inFlight.isEmpty || leaving.at + patience <= now else { return false }
            leaving.connection.close(.serviceRestart, reason: reason)
            return true
        }
    }
}
