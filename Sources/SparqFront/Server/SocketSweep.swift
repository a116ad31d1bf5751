import NIOCore

/// The sockets of one event loop, and the one timer that looks after their deadlines. Confined to that loop.
final class SocketSweep {
    let eventLoop: any EventLoop
    private let interval: TimeAmount
    private let registry: SocketRegistry
    private(set) var sockets: [Socket] = []
    private var timer: Scheduled<Void>?

    init(eventLoop: any EventLoop, limits: SocketLimits, registry: SocketRegistry) {
        self.eventLoop = eventLoop
        self.registry = registry
        let shortest = min(limits.pingInterval, limits.pongTimeout, limits.closeTimeout).nanoseconds
        self.interval = .nanoseconds(max(min(shortest / 4, 1_000_000_000), 5_000_000))
    }

    func add(_ socket: Socket) {
        socket.sweepIndex = self.sockets.count
        self.sockets.append(socket)
        self.registry.opened()
        if self.timer == nil { self.schedule() }
    }

    func remove(_ socket: Socket) {
        let index = socket.sweepIndex
        guard index >= 0 else { return }
        socket.sweepIndex = -1
        let last = self.sockets.removeLast()
        if last !== socket {
            self.sockets[index] = last
            last.sweepIndex = index
        }
        if self.sockets.isEmpty {
            self.timer?.cancel()
            self.timer = nil
        }
        self.registry.closed()
    }

    private func schedule() {
        self.timer = self.eventLoop.assumeIsolated().scheduleTask(in: self.interval) {
            self.timer = nil
            self.sweep()
            if self.timer == nil, !self.sockets.isEmpty { self.schedule() }
        }
    }

    private func sweep() {
        let now = NIODeadline.now()
        // From the end, as a socket that closes is replaced by the last one.
        var index = self.sockets.count - 1
        while index >= 0 {
            if index < self.sockets.count, self.sockets[index].deadline <= now { self.sockets[index].deadlinePassed(now) }
            index -= 1
        }
    }
}
