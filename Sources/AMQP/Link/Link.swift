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
    /// The heartbeat agreed on, in seconds; 0 for none.
    let heartbeatSeconds: Int

    /// Connects, and logs in. Blocks for at most twice the configured `connectTimeout`, plus the time that resolving the name takes.
    /// - Parameter register: gets the socket before the AMQP handshake, so that another thread can end it.
    init(_ configuration: AMQPConfiguration, register: (SocketHandle) -> Void) throws(AMQPError) {
        guard let state = amqp_new_connection() else {
            throw AMQPError(.outOfResources, "no memory", operation: "connecting")
        }
        let socket: SocketHandle
        do throws(AMQPError) {
            try Self.openSocket(state, configuration)
            guard let handle = SocketHandle(duplicating: amqp_get_sockfd(state)) else {
                throw AMQPError(.outOfResources, "no file descriptor", operation: "connecting")
            }
            socket = handle
            register(handle)
            try Self.login(state, configuration)
        } catch {
            amqp_destroy_connection(state)
            throw error
        }
        self.configuration = configuration
        self.state = state
        self.socket = socket
        heartbeatSeconds = Int(amqp_get_heartbeat(state))
    }

    deinit {
        amqp_destroy_connection(state)
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
        let status = withUnsafeMutablePointer(to: &method) { amqp_send_method(state, channel, id.rawValue, $0) }
        guard status == AMQP_STATUS_OK.rawValue else { throw Self.failure(status, operation: "sending") }
    }
}
