import SparqFrontCore
import SparqWebSocket

/// How a shard sends its clients away.
extension Shard {
    /// Closes all sockets at once.
    func sendAway() {
        for connection in Array(connections.values) { connection.close(.tryAgainLater, reason: "") }
        finishTurn()
    }

    /// Moves the clients away: each is told to reconnect after a delay of its own within `window` nanoseconds, and closed when it is over.
    func startDraining(window: Int) {
        guard drain == nil else { return }
        let now = now()
        var drain = ShardDrain(window: window, reason: "restart")
        for connection in connections.values { drain.add(connection, now: now) }
        self.drain = drain
        finishTurn()
    }

    /// Has all who are here now come again, over a window: they may hear by rights that they have lost, or be here by them. Whoever comes later is checked
    /// by workers that know.
    func recallAll() {
        // All leave already.
        guard drain == nil else { return }
        let now = now()
        var recall = recall ?? ShardDrain(window: settings.recallWindow, reason: "check")
        for connection in Array(connections.values) {
            // What `$connect` granted may be older than what was lost. There is nothing to take leave of yet.
            if connection.life.stage == .connecting {
                connection.close(.tryAgainLater, reason: "")
            } else {
                recall.add(connection, now: now)
            }
        }
        self.recall = recall
    }
}
