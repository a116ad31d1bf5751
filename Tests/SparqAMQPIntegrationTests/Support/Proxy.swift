import Foundation
import Glibc
import Synchronization

/// A TCP proxy between a test and the broker that can cut, freeze and refuse connections.
final class Proxy: Sendable {
    struct Freeze: OptionSet, Sendable {
        let rawValue: Int
        static let toBroker = Freeze(rawValue: 1)
        static let toClient = Freeze(rawValue: 2)
        static let both: Freeze = [.toBroker, .toClient]
    }

    private struct State {
        var frozen: Freeze = []
        /// Connections accepted before this one are frozen both ways.
        var firstAlive = 0
        var isRefusing = false
        var isClosed = false
        /// What may still go to the broker.
        var budget = Int.max
        var sockets: Set<Int32> = []
        var accepted = 0
    }

    private final class Pair: Sendable {
        let client: Int32
        let broker: Int32
        let number: Int
        let running = Mutex(2)
        init(_ client: Int32, _ broker: Int32, _ number: Int) {
            self.client = client
            self.broker = broker
            self.number = number
        }
    }

    let port: UInt16
    private let listener: Int32
    private let upstream: UInt16
    private let state = Mutex(State())

    var accepted: Int { state.withLock { $0.accepted } }

    init(to upstream: UInt16) throws {
        self.upstream = upstream
        (listener, port) = try Ports.listen()
        Thread.detachNewThread { [self] in acceptAll() }
    }

    /// Breaks all connections, as a failing network does.
    func cut() {
        state.withLock { state in
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    /// Breaks a connection when it has carried so many bytes more to the broker.
    func cut(after bytes: Int) { state.withLock { $0.budget = bytes } }

    func freeze(_ direction: Freeze) { state.withLock { $0.frozen = direction } }
    /// As a firewall does that forgets connections: those that exist freeze, new ones work.
    func freezeThoseThatExist() { state.withLock { $0.firstAlive = $0.accepted } }
    func refuse(_ isRefusing: Bool) { state.withLock { $0.isRefusing = isRefusing } }

    func close() {
        state.withLock { state in
            state.isClosed = true
            state.frozen = []
            state.firstAlive = 0
        }
        shutdown(listener, Int32(SHUT_RDWR))
        cut()
    }

    private func acceptAll() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { break }
            if state.withLock({ $0.isRefusing }) {
                Glibc.close(client)
                continue
            }
            guard let broker = Ports.connect(upstream) else {
                Glibc.close(client)
                continue
            }
            let number = state.withLock { state in
                state.sockets.formUnion([client, broker])
                state.accepted += 1
                return state.accepted - 1
            }
            let pair = Pair(client, broker, number)
            Thread.detachNewThread { [self] in pump(pair, client, broker, .toBroker) }
            Thread.detachNewThread { [self] in pump(pair, broker, client, .toClient) }
        }
        Glibc.close(listener)
    }

    private func pump(_ pair: Pair, _ from: Int32, _ to: Int32, _ direction: Freeze) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        copying: while true {
            waitWhileFrozen(direction, pair, to)
            let count = recv(from, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            waitWhileFrozen(direction, pair, to)
            var sent = 0
            while sent < count {
                let written = buffer.withUnsafeBytes { send(to, $0.baseAddress?.advanced(by: sent), count - sent, Int32(MSG_NOSIGNAL)) }
                guard written > 0 else { break copying }
                sent += written
            }
            guard direction == .toClient || isWithinBudget(count) else { break }
        }
        shutdown(pair.client, Int32(SHUT_RDWR))
        shutdown(pair.broker, Int32(SHUT_RDWR))
        let isLast = pair.running.withLock { running in
            running -= 1
            return running == 0
        }
        guard isLast else { return }
        state.withLock { $0.sockets.subtract([pair.client, pair.broker]) }
        Glibc.close(pair.client)
        Glibc.close(pair.broker)
    }

    private func isWithinBudget(_ count: Int) -> Bool {
        state.withLock { state in
            state.budget -= count
            return state.budget > 0
        }
    }

    /// A cut ends a freeze for the connection that it breaks.
    private func waitWhileFrozen(_ direction: Freeze, _ pair: Pair, _ socket: Int32) {
        // Of a forgotten connection nobody hears that the other side has given it up.
        while state.withLock({ pair.number < $0.firstAlive }) { usleep(2000) }
        while state.withLock({ $0.frozen.contains(direction) }) {
            var entry = pollfd(fd: socket, events: 0, revents: 0)
            if poll(&entry, 1, 2) > 0 { return }
        }
    }
}
