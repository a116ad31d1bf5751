internal import Synchronization

/// Looks at a connection from outside of its thread, and cuts one on which nothing arrives: a thread that is stuck in librabbitmq comes back then.
///
/// Where the thread is not stuck it notices the silence by itself, a little earlier. From any thread.
final class Watchdog: Sendable {
    private struct Post {
        let socket: SocketHandle
        /// Nothing arrives for so long: it is dead. nil where silence says nothing.
        var patience: Duration?
        /// How long nothing had arrived when it was cut.
        var silence: Duration?
    }

    private static let pause = Duration.milliseconds(500)

    private let post = Mutex<Post?>(nil)

    /// From now on this is the connection to look at.
    func guards(_ socket: SocketHandle, patience: Duration?) {
        post.withLock { $0 = Post(socket: socket, patience: patience) }
    }

    /// The connection is over.
    func leave() { post.withLock { $0 = nil } }

    /// The connection broke. Says why, where it was cut here.
    func leave(after error: AMQPError) -> AMQPError {
        let silence = post.withLock { post in
            defer { post = nil }
            return post?.silence
        }
        guard let silence else { return error }
        var error = error
        error.code = .heartbeatTimeout
        error.message = "nothing heard for \(silence.milliseconds) ms, and cut (\(error.message))"
        return error
    }

    /// Ends the connection at once.
    func cut() { post.withLock { $0?.socket }?.cut() }

    /// Looks again and again, until the task is cancelled.
    func watch() async {
        while (try? await Task.sleep(for: Self.pause)) != nil { look() }
    }

    func look() {
        let silent = post.withLock { post -> SocketHandle? in
            guard let patience = post?.patience, post?.silence == nil, let socket = post?.socket else { return nil }
            let silence = socket.silence
            guard silence > patience else { return nil }
            post?.silence = silence
            return socket
        }
        silent?.cut()
    }

}
