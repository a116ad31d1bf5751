import Synchronization

extension PostgresPool {
    /// Lends a connection for `body`'s time. A connection that is left inside a transaction block afterwards is closed.
    func withLease<Result>(
        isolation: isolated (any Actor)? = #isolation,
        _ body: (Lease) async throws -> Result
    ) async throws -> Result {
        let lease = try await acquire()
        defer { apply { $0.release(lease.id, reusable: !lease.thread.isInTransaction) } }
        return try await body(lease)
    }

    func acquire() async throws -> Lease {
        try Task.checkCancellation()
        let (quick, waiter): (Lease?, Int) = core.withLock { core in
            let threads = core.threads
            // Best the one whose thread this is; one that runs a step of another task would let us wait for its end.
            let id = core.machine.leaseIdle { id in
                guard let jobs = threads[id]?.jobs else { return 0 }
                return jobs.isOwnThread ? 2 : jobs.isRunning ? 0 : 1
            }
            if let id, let thread = core.threads[id] { return (Lease(id: id, thread: thread), 0) }
            core.lastWaiter += 1
            return (nil, core.lastWaiter)
        }
        if let quick { return quick }
        return try await wait(as: waiter)
    }

    private func wait(as waiter: Int) async throws -> Lease {
        let alarm = Task { [weak self, configuration] in
            try await Task.sleep(for: configuration.acquireTimeout)
            self?.abandon(waiter, isTimeout: true)
        }
        defer { alarm.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                apply(core: { core in
                    core.waiters[waiter] = continuation
                    return core.machine.acquire(waiter)
                })
                // A cancellation that came before the waiter was in the queue found nobody there.
                if Task.isCancelled { abandon(waiter, isTimeout: false) }
            }
        } onCancel: {
            abandon(waiter, isTimeout: false)
        }
    }

    private func abandon(_ waiter: Int, isTimeout: Bool) {
        let (continuation, failure, isReachable) = core.withLock { core in
            core.machine.abandon(waiter)
            return (core.waiters.removeValue(forKey: waiter), core.lastFailure, core.machine.establishedCount > 0)
        }
        guard isTimeout else {
            continuation?.resume(throwing: CancellationError())
            return
        }
        let reason = failure.map { "; the last attempt to connect: \($0)" } ?? ""
        var error = PostgresError(.poolTimeout, "no connection became free within \(configuration.acquireTimeout)\(reason)")
        // The server may take no more connections: those that are open work all the same.
        error.isCrowded = isReachable
        continuation?.resume(throwing: error)
    }

    /// Refuses new leases, waits for those that are out, and closes everything.
    func shutdown(within limit: Duration) async {
        apply { limit > .zero ? $0.drain() : $0.closeNow() }
        let alarm = Task { [weak self] in
            try await Task.sleep(for: limit)
            self?.apply { $0.closeNow() }
            // A thread that is stuck, in name resolution for example, must not hold up the process's end.
            try await Task.sleep(for: .seconds(2))
            self?.giveUpDraining()
        }
        await drained()
        alarm.cancel()
    }

    private func giveUpDraining() {
        let waiting = core.withLock { core in
            defer { core.drainedWaiters = [] }
            return core.drainedWaiters
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits until every connection's thread has ended.
    private func drained() async {
        await withCheckedContinuation { continuation in
            let isDone = core.withLock { core in
                let isDone = core.machine.phase == .closed && core.threads.isEmpty
                if !isDone { core.drainedWaiters.append(continuation) }
                return isDone
            }
            if isDone { continuation.resume() }
        }
    }
}
