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
    }

    typealias Job = @Sendable (Workplace) -> Void

    private struct State {
        var jobs: [Job] = []
        var isClosing = false
        var socket: SocketHandle?
    }

    private let state = Mutex(State())
    private let wakeup = Wakeup()

    func start(_ configuration: AMQPConfiguration) throws(AMQPError) {
        guard wakeup.descriptor >= 0 else { throw AMQPError(.outOfResources, "no file descriptor", operation: "starting") }
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
        let workplace: Workplace
        do throws(AMQPError) {
            workplace = Workplace(.success(try Link(configuration) { socket in state.withLock { $0.socket = socket } }))
        } catch {
            workplace = Workplace(.failure(error))
        }
        while true {
            wakeup.rearm()
            let (jobs, isClosing) = state.withLock { state in
                defer { state.jobs = [] }
                return (state.jobs, state.isClosing)
            }
            for job in jobs { job(workplace) }
            if isClosing { break }
            guard jobs.isEmpty else { continue }
            var entry = pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, -1) > 0 { wakeup.drain() }
        }
        if case .success(let link) = workplace.link { link.close(limit: .seconds(1)) }
    }
}
