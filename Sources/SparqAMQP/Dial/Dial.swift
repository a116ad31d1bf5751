internal import CRabbitMQ
internal import Glibc

/// Makes TCP connections. librabbitmq's own has one limit for all addresses of a name, so that a silent one holds up those behind it.
enum Dial {
    /// The process's last descriptors are not for us. libdispatch needs one every second, to look into `/proc`, and ends the process where it
    /// gets none. More than there are threads that may each have taken one and not looked at it yet.
    private static let reserve: Int32 = 16

    /// Connects to the first address that answers. Blocks up to `limit` for the name, and again for each address.
    /// - Returns: a descriptor that does not block.
    static func connect(_ host: AMQPHost, limit: Duration) throws(AMQPError) -> Int32 {
        try connect(try Resolver.addresses(of: host, within: limit), limit: limit)
    }

    static func connect(_ addresses: [SocketAddress], limit: Duration) throws(AMQPError) -> Int32 {
        var problems: [String] = []
        for address in addresses {
            do throws(AMQPError) {
                return try connect(address, limit: limit)
            } catch {
                // The next address needs the same.
                if error.code == .outOfResources { throw error }
                problems.append(error.message)
            }
        }
        throw AMQPError(.connectFailed, problems.joined(separator: "; "), operation: "connecting")
    }

    private static func connect(_ address: SocketAddress, limit: Duration) throws(AMQPError) -> Int32 {
        func failure(_ number: Int32) -> AMQPError {
            SystemError.error(number, otherwise: .connectFailed, "\(address)", operation: "connecting")
        }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(address.family, kind, Int32(IPPROTO_TCP))
        guard descriptor >= 0 else { throw failure(errno) }
        guard crabbitmq_is_among_last(descriptor, reserve) == 0 else {
            close(descriptor)
            throw failure(EMFILE)
        }
        var number: Int32 = 0
        if address.withPointer({ Glibc.connect(descriptor, $0, $1) }) != 0 {
            number = errno
            if number == EINPROGRESS { number = outcome(descriptor, limit) }
        }
        if number == 0 {
            // What is written here is written in whole frames.
            crabbitmq_nodelay(descriptor)
            return descriptor
        }
        close(descriptor)
        if number == ETIMEDOUT { throw AMQPError(.connectFailed, "\(address): no answer", operation: "connecting") }
        throw failure(number)
    }

    /// 0, or the error's number.
    private static func outcome(_ descriptor: Int32, _ limit: Duration) -> Int32 {
        let deadline = ContinuousClock.now + limit
        while true {
            let left = deadline - .now
            guard left > .zero else { return ETIMEDOUT }
            var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let count = poll(&entry, 1, left.milliseconds)
            if count < 0, errno != EINTR { return errno }
            guard count > 0 else { continue }
            var number: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size) == 0 ? number : errno
        }
    }
}
