internal import CRabbitMQ
internal import DequeModule

/// One connection of librabbitmq with one channel. Belongs to the thread that opened it; not usable again after an error.
///
/// Owns the C handle, frees it in `deinit`.
final class Link {
    static let channel: amqp_channel_t = 1

    let configuration: AMQPConfiguration
    let state: amqp_connection_state_t
    let socket: SocketHandle
    let arena = Arena()
    var assembler = ContentAssembler()
    /// Read while waiting for the answer to a request, and not yet handed out.
    var deferred = Deque<Inbound>()
    private(set) var isChannelOpen = false
    /// nil where none were agreed on.
    var heartbeats: Heartbeats?

    /// Connects, and logs in. Blocks for the configured `connectTimeout` at most: for the name, for each of its addresses, and for logging in.
    /// - Parameter watchdog: gets the socket before the AMQP handshake, so that another thread can end it.
    init(_ configuration: AMQPConfiguration, host: AMQPHost, watchdog: Watchdog) throws(AMQPError) {
        guard let state = amqp_new_connection() else {
            throw AMQPError(.outOfResources, "no memory", operation: "connecting")
        }
        do throws(AMQPError) {
            try Self.openSocket(state, configuration, host)
            let socket = try SocketHandle(duplicating: amqp_get_sockfd(state))
            socket.setKeepalive(Self.pulse(configuration))
            socket.setWriteLimit(Self.pulse(configuration) * 3)
            // librabbitmq waits for each answer of the handshake no longer than that.
            watchdog.guards(socket, patience: configuration.connectTimeout + .seconds(1))
            try Self.login(state, configuration)
            let heartbeats = try Self.takeHeartbeats(state)
            watchdog.guards(socket, patience: heartbeats.map { $0.interval * 5 / 2 })
            // A broker in an alarm reads nothing, for as long as that lasts, and beats all the same.
            if heartbeats != nil { socket.setWriteLimit(nil) }
            self.socket = socket
            self.heartbeats = heartbeats
        } catch {
            amqp_destroy_connection(state)
            throw error
        }
        self.configuration = configuration
        self.state = state
    }

    deinit {
        amqp_destroy_connection(state)
    }

    /// Without heartbeats the kernel alone can notice what is dead, at the pace of the usual ones.
    private static func pulse(_ configuration: AMQPConfiguration) -> Duration {
        configuration.heartbeat > .zero ? configuration.heartbeat : .seconds(5)
    }

    /// The broker says that it reads nothing for now, or reads again. Meanwhile what waits for it is not stuck.
    func brokerBlocks(_ isBlocking: Bool) {
        if heartbeats == nil { socket.setWriteLimit(isBlocking ? nil : Self.pulse(configuration) * 3) }
    }

    /// `channel.open`. The channel must not be open.
    func openChannel() throws(AMQPError) {
        assembler.reset()
        var method = amqp_channel_open_t()
        _ = try call(.channelOpen, &method, expecting: .channelOpenOK, operation: "channel.open")
        isChannelOpen = true
    }

    /// Says goodbye: `connection.close`, and waits for the answer up to `limit`. Errors do not matter any more.
    func close(limit: Duration) {
        var timeout = limit.timeval
        amqp_set_rpc_timeout(state, &timeout)
        _ = amqp_connection_close(state, 200)
    }

    /// Lets librabbitmq reuse its memory. Nothing of it may be referred to any more.
    func releaseBuffers() { amqp_maybe_release_buffers(state) }

    func channelWasClosed() {
        isChannelOpen = false
        assembler.reset()
    }

    func send<Method>(_ id: MethodID, _ method: inout Method, channel: amqp_channel_t = Link.channel) throws(AMQPError) {
        try Self.check("sending") { withUnsafeMutablePointer(to: &method) { amqp_send_method(state, channel, id.rawValue, $0) } }
    }
}
