import SparqAMQP
import CRabbitMQ
import Glibc

/// One connection of librabbitmq with one channel, as a C program would use it: the yardstick must not carry what our own module costs.
///
/// Belongs to one thread; owns the handle and frees it in `deinit`.
final class BareLink {
    /// What the broker says.
    enum Event {
        /// A body begins with its number.
        case delivery(tag: UInt64, number: UInt64)
        case confirm(tag: UInt64, multiple: Bool)
    }

    private let state: amqp_connection_state_t
    private var deliveryTag: UInt64 = 0
    private var missing = 0
    private var number: UInt64?

    init(_ configuration: AMQPConfiguration) throws {
        guard let state = amqp_new_connection(), let socket = amqp_tcp_socket_new(state) else { throw BenchError("no memory") }
        self.state = state
        guard let host = configuration.hosts.first,
            amqp_socket_open(socket, host.name, Int32(host.port)) == AMQP_STATUS_OK.rawValue
        else {
            throw BenchError("cannot connect to the broker")
        }
        var properties = amqp_table_t()
        let reply = crabbitmq_login(
            state,
            configuration.virtualHost,
            AMQP_DEFAULT_FRAME_SIZE,
            0,
            &properties,
            configuration.user,
            configuration.password
        )
        guard reply.reply_type == AMQP_RESPONSE_NORMAL else { throw BenchError("the broker refused the login") }
        amqp_channel_open(state, 1)
        try check("channel.open")
    }

    deinit { amqp_destroy_connection(state) }

    var descriptor: Int32 { amqp_get_sockfd(state) }

    func selectConfirms() throws {
        amqp_confirm_select(state, 1)
        try check("confirm.select")
    }

    func consume(_ queue: String, prefetch: UInt16) throws {
        amqp_basic_qos(state, 1, 0, prefetch, 0)
        try check("basic.qos")
        queue.withAMQPBytes { queue in
            _ = amqp_basic_consume(state, 1, queue, amqp_bytes_t(len: 0, bytes: nil), 0, 0, 0, amqp_table_t())
        }
        try check("basic.consume")
    }

    /// Persistent.
    func publish(_ body: [UInt8], exchange: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) throws {
        var properties = amqp_basic_properties_t()
        properties._flags = UInt32(AMQP_BASIC_DELIVERY_MODE_FLAG)
        properties.delivery_mode = 2
        let status = body.withUnsafeBytes { body in
            amqp_basic_publish(state, 1, amqp_bytes_t(exchange), amqp_bytes_t(key), 0, 0, &properties, amqp_bytes_t(body))
        }
        guard status == AMQP_STATUS_OK.rawValue else { throw BenchError("publishing failed: \(status)") }
    }

    func ack(_ tag: UInt64, multiple: Bool) throws {
        guard amqp_basic_ack(state, 1, tag, multiple ? 1 : 0) == AMQP_STATUS_OK.rawValue else { throw BenchError("acknowledging failed") }
    }

    func cork(_ on: Bool) { crabbitmq_cork(descriptor, on ? 1 : 0) }

    /// The next thing that the broker said; nil where there is nothing for now.
    func next() throws -> Event? {
        var frame = amqp_frame_t()
        var none = timeval()
        while true {
            let status = amqp_simple_wait_frame_noblock(state, &frame, &none)
            if status == AMQP_STATUS_TIMEOUT.rawValue {
                amqp_maybe_release_buffers(state)
                return nil
            }
            guard status == AMQP_STATUS_OK.rawValue else { throw BenchError("the connection to the broker broke: \(status)") }
            switch Int32(frame.frame_type) {
            case AMQP_FRAME_METHOD:
                guard let decoded = frame.payload.method.decoded else { continue }
                switch frame.payload.method.id {
                case Self.basicDeliver:
                    deliveryTag = decoded.assumingMemoryBound(to: amqp_basic_deliver_t.self).pointee.delivery_tag
                case Self.basicAck:
                    let ack = decoded.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee
                    return .confirm(tag: ack.delivery_tag, multiple: ack.multiple != 0)
                default: throw BenchError("the broker said method \(frame.payload.method.id)")
                }
            case AMQP_FRAME_HEADER:
                missing = Int(frame.payload.properties.body_size)
                number = nil
            case AMQP_FRAME_BODY:
                let part = UnsafeRawBufferPointer(start: frame.payload.body_fragment.bytes, count: frame.payload.body_fragment.len)
                if number == nil, part.count >= 8 { number = part.loadUnaligned(as: UInt64.self) }
                missing -= part.count
                if missing <= 0 { return .delivery(tag: deliveryTag, number: number ?? .max) }
            default: break
            }
        }
    }

    private func check(_ what: String) throws {
        guard amqp_get_rpc_reply(state).reply_type == AMQP_RESPONSE_NORMAL else { throw BenchError("\(what) was refused") }
    }

    private static let basicDeliver: UInt32 = 60 << 16 | 60
    private static let basicAck: UInt32 = 60 << 16 | 80
}

extension amqp_bytes_t {
    fileprivate init(_ bytes: UnsafeRawBufferPointer) {
        self.init(len: bytes.count, bytes: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }
}

extension String {
    fileprivate func withAMQPBytes<Result>(_ body: (amqp_bytes_t) -> Result) -> Result {
        Array(utf8).withUnsafeBytes { body(amqp_bytes_t($0)) }
    }
}
