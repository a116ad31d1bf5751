internal import Glibc

/// Starts a thread of our own: librabbitmq blocks, and its handles must stay on one thread.
enum EngineThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Throws `outOfResources` when the system gives no thread.
    static func start(_ run: @escaping @Sendable () -> Void) throws(AMQPError) {
        let body = Unmanaged.passRetained(Body(run))
        var thread = pthread_t()
        let status = pthread_create(
            &thread,
            nil,
            { argument in
                // The argument is the one given below, never nil.
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            },
            body.toOpaque()
        )
        guard status == 0 else {
            body.release()
            throw AMQPError(.outOfResources, "no thread: \(SystemError.text(status))", operation: "starting")
        }
        pthread_detach(thread)
    }
}
