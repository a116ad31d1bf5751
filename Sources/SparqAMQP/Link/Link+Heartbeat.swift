internal import CRabbitMQ
internal import Glibc

extension Link {
    /// Takes heartbeats over from librabbitmq. Directly after logging in.
    static func takeHeartbeats(_ state: amqp_connection_state_t) throws(AMQPError) -> Heartbeats? {
        let seconds = amqp_get_heartbeat(state)
        guard seconds > 0 else { return nil }
        // Not between two frames, which cannot be after a login, librabbitmq would abort the process.
        guard amqp_release_buffers_ok(state) != 0 else {
            throw AMQPError(.protocolViolation, "half a frame after logging in", operation: "logging in")
        }
        try check("logging in") { amqp_tune_connection(state, amqp_get_channel_max(state), amqp_get_frame_max(state), 0) }
        return Heartbeats(interval: .seconds(Int(seconds)), now: .now)
    }

    /// Shows the broker that we are alive where that is due, and ends a link on which nothing arrives: nothing must be written to it any more.
    ///
    /// Call it in every turn, before anything is written, and at least every quarter of a heartbeat.
    func beat(_ now: ContinuousClock.Instant = .now) throws(AMQPError) {
        guard heartbeats != nil else { return }
        if heartbeats?.isInDoubt(now: now) == true {
            heartbeats?.heard(at: now - socket.silence)
            if let silence = heartbeats?.silence(now: now) { throw Self.heardNothing(for: silence) }
        }
        guard heartbeats?.sendsNow(now) == true else { return }
        var frame = amqp_frame_t()
        frame.frame_type = UInt8(AMQP_FRAME_HEARTBEAT)
        try Self.check("heartbeat") { amqp_send_frame(state, &frame) }
    }

    static func heardNothing(for silence: Duration) -> AMQPError {
        AMQPError(.heartbeatTimeout, "nothing heard for \(silence.milliseconds) ms", operation: "connection")
    }

    /// A time to wait that leaves heartbeats alive, and other things that are due.
    func pollMilliseconds(atMost limit: Duration) -> Int32 {
        min(limit, heartbeats.map { $0.interval / 4 } ?? .seconds(5)).milliseconds
    }
}
