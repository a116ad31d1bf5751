internal import CRabbitMQ
internal import Glibc
internal import Synchronization

/// The thread of an ``AMQPSession``: runs jobs on its link, one after the other.
final class SessionThread: Sendable {
    /// What a job works on. Never leaves the thread.
    final class Workplace {
        var link: Result<Link, AMQPError>
        var epoch: UInt64 = 0
        var confirms = false
        var publishes: UInt64 = 0

        init(_ link: Result<Link, AMQPError>) { self.link = link }

        /// The link with an open channel.
        func ready() throws(AMQPError) -> Link {
            let link = try link.get()
            if !link.isChannelOpen {
                try link.openChannel()
                epoch += 1
                confirms = false
            }
            return link
        }

        /// Keeps an idle connection alive. What comes unasked concerns no request; an end of the connection is the next one's answer.
        func listen(after watchdog: Watchdog) {
            guard case .success(let link) = self.link else { return }
            do throws(AMQPError) {
                try link.beat()
                while try link.next() != nil {}
                link.releaseBuffers()
            } catch { self.link = .failure(watchdog.leave(after: error)) }
        }
    }

    typealias Job = @Sendable (Workplace) -> Void

    private struct State {
        var jobs: [Job] = []
        var isClosing = false
    }

    private let state = Mutex(State())
    private let wakeup = Wakeup()
    let watchdog = Watchdog()

    func start(_ configuration: AMQPConfiguration) throws(AMQPError) {
        try wakeup.open()
        try EngineThread.start { self.main(configuration) }
    }

    /// Runs the job after those before it; false if the session is closing.
    func enqueue(_ job: @escaping Job) -> Bool {
        let isOpen = state.withLock { state in
            guard !state.isClosing else { return false }
            state.jobs.append(job)
            return true
        }
        if isOpen { wakeup.signal() }
        return isOpen
    }

    /// No more jobs; ends when those that were taken are done.
    func close() {
        state.withLock { $0.isClosing = true }
        wakeup.signal()
    }

    private func main(_ configuration: AMQPConfiguration) {
        let watching = Task.detached { [watchdog] in await watchdog.watch() }
        defer { watching.cancel() }
        let workplace = Workplace(connect(configuration))
        while true {
            wakeup.rearm()
            let (jobs, isClosing) = state.withLock { state in
                defer { state.jobs = [] }
                return (state.jobs, state.isClosing)
            }
            for job in jobs { job(workplace) }
            if case .failure = workplace.link { watchdog.leave() }
            if isClosing { break }
            guard jobs.isEmpty else { continue }
            wait(workplace)
        }
        if case .success(let link) = workplace.link { link.close(limit: .seconds(1)) }
        watchdog.leave()
    }

    /// Tries every host once. Says what the last one said.
    private func connect(_ configuration: AMQPConfiguration) -> Result<Link, AMQPError> {
        var hosts = HostRotation(configuration.hosts)
        while true {
            do throws(AMQPError) {
                return .success(try Link(configuration, host: try hosts.next(), watchdog: watchdog))
            } catch {
                let error = watchdog.leave(after: error)
                // Who we are is the same to all of them.
                if hosts.isRoundOver || error.code == .accessRefused { return .failure(error) }
            }
        }
    }

    /// Waits for the next job, and keeps the connection alive meanwhile.
    private func wait(_ place: Workplace) {
        var entries = (
            pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: -1, events: Int16(POLLIN), revents: 0)
        )
        var milliseconds: Int32 = -1
        if case .success(let link) = place.link {
            entries.1.fd = link.socket.descriptor
            milliseconds = link.pollMilliseconds(atMost: .seconds(3600))
        }
        _ = withUnsafeMutableBytes(of: &entries) { poll($0.bindMemory(to: pollfd.self).baseAddress, 2, milliseconds) }
        if entries.0.revents != 0 { wakeup.drain() }
        place.listen(after: watchdog)
    }
}
