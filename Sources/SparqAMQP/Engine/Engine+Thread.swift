internal import CRabbitMQ
internal import Glibc

extension Engine {
    /// Frames handled in one turn before commands are looked at again.
    private static let framesPerTurn = 2048
    /// A connection that lived this long starts the backoff anew. A shorter one was no success.
    private static let stableAfter = Duration.seconds(1)

    /// The whole life of the connection's thread.
    func threadMain<Role: EngineRole>(_ role: consuming Role) {
        var role = role
        var backoff = Backoff(configuration.backoff)
        var generator = SystemRandomNumberGenerator()
        var hosts = HostRotation(configuration.hosts)
        var log = ConnectionLog(logger, faults: faults)
        var attempt = 0
        var lastError: AMQPError?
        while goesOn(role) {
            attempt += 1
            report(.connecting(attempt: attempt, lastError: lastError))
            var connectedAt: ContinuousClock.Instant?
            do throws(AMQPError) {
                let host = try hosts.next()
                log.connecting(to: host, attempt: attempt)
                let link = try Link(configuration, host: host, watchdog: watchdog)
                try link.openChannel()
                try link.declare(topology)
                try role.opened(link)
                let now = ContinuousClock.now
                connectedAt = now
                attempt = 0
                log.connected(now: now)
                report(.connected)
                try serve(link, &role, &log)
                watchdog.leave()
                break
            } catch {
                let error = watchdog.leave(after: error)
                role.lost(error)
                lastError = error
                if phase == .aborting || phase == .ended { break }
                log.failed(error)
                report(.disconnected(error))
            }
            let wasStable = connectedAt.map { .now - $0 >= Self.stableAfter } ?? false
            if wasStable { backoff.reset() }
            // Within a round the next host is tried at once.
            guard wasStable || hosts.isRoundOver else { continue }
            hosts.beginRound()
            pause(backoff.next(using: &generator), role)
        }
        role.lost(AMQPError(.closed, "ended", operation: "connection"))
        end()
    }

    /// Whether to try (again) to connect.
    private func goesOn(_ role: some EngineRole) -> Bool {
        switch phase {
        case .idle, .aborting, .ended: false
        case .running: true
        case .draining(let deadline): !role.isDrained && .now < deadline
        }
    }

    private func pause(_ duration: Duration, _ role: some EngineRole) {
        let end = ContinuousClock.now + duration
        while goesOn(role) {
            let left = end - .now
            guard left > .zero else { return }
            // In a drain the role may have nothing left at any moment, without a signal.
            let limit = phase == .running ? left : min(left, .milliseconds(50))
            var entry = pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, limit.milliseconds) > 0 { wakeup.drain() }
            wakeup.rearm()
        }
    }

    /// Works on one connection until it fails, which is thrown, or until the end, which is not.
    private func serve(_ link: Link, _ role: inout some EngineRole, _ log: inout ConnectionLog) throws(AMQPError) {
        wakeup.claim()
        executor.begin()
        defer {
            executor.end()
            wakeup.release()
        }
        while true {
            wakeup.rearm()
            // First of all: nothing is written to a link on which nothing arrives any more.
            try link.beat()
            var limit = Duration.seconds(3600)
            switch phase {
            case .idle, .running: break
            case .aborting, .ended:
                role.lastWords(link)
                executor.end()
                return link.close(limit: .milliseconds(400))
            case .draining(let deadline):
                limit = deadline - .now
                if role.isDrained || limit <= .zero {
                    executor.end()
                    return link.close(limit: .milliseconds(400))
                }
            }
            let frames = try receive(link, &role, log)
            role.flush()
            executor.runJobs()
            let now = ContinuousClock.now
            log.tick(now: now)
            try role.work(link, now: now)
            // With frames handled there may be new commands, and more frames.
            if frames == 0, !wakeup.isPending { wait(link, &role, limit) }
        }
    }

    /// Hands the role what arrived, up to a limit, and says how many frames that were.
    private func receive(_ link: Link, _ role: inout some EngineRole, _ log: ConnectionLog) throws(AMQPError) -> Int {
        var frames = 0
        while frames < Self.framesPerTurn, let event = try link.next() {
            frames += 1
            switch event {
            case .blocked(let reason):
                link.brokerBlocks(true)
                log.blocked(reason: reason)
                report(.blocked(reason: reason))
            case .unblocked:
                link.brokerBlocks(false)
                log.unblocked()
                report(.connected)
            default: break
            }
            if event.needsAnswers { executor.end() }
            try role.receive(event, link)
            if event.needsAnswers { executor.begin() }
            // What was sent between the loss of the queue and its declaration is lost, as after a reconnection: whoever makes up for
            // that hears of it in the same way.
            if case .consumerCancelled = event, phase == .running { report(.connected) }
            if frames % 64 == 0 { link.releaseBuffers() }
        }
        link.releaseBuffers()
        return frames
    }

    private func wait(_ link: Link, _ role: inout some EngineRole, _ limit: Duration) {
        var entries = (
            pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: link.socket.descriptor, events: Int16(POLLIN) | (role.awaitsRoom ? Int16(POLLOUT) : 0), revents: 0)
        )
        let milliseconds = link.pollMilliseconds(atMost: limit)
        let count = withUnsafeMutableBytes(of: &entries) { poll($0.bindMemory(to: pollfd.self).baseAddress, 2, milliseconds) }
        guard count > 0 else { return }
        if entries.0.revents != 0 { wakeup.drain() }
        if entries.1.revents & Int16(POLLOUT) != 0 { role.awaitsRoom = false }
    }
}
