import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Stands between a pool and the server, as a firewall does that forgets connections: those that exist freeze, new ones work.
///
/// It takes what a frozen connection sends, as far as its buffers go, so neither side's kernel notices anything.
final class FreezingProxy: Sendable {
    struct Failed: Error {}

    private struct State {
        /// Pairs below this number are frozen.
        var firstAlive = 0
        var pairs = 0
        var sockets: [Int32] = []
    }

    let port: UInt16
    private let listener: Int32
    private let server: UInt16
    private let state = Mutex(State())

    init(to server: UInt16) throws {
        self.server = server
        (listener, port) = try Self.listen()
        Self.onThread { [self] in acceptAll() }
    }

    var accepted: Int { state.withLock { $0.pairs } }

    func freezeThoseThatExist() { state.withLock { $0.firstAlive = $0.pairs } }

    /// Frozen ones end too.
    func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        state.withLock { state in
            state.firstAlive = 0
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    private func acceptAll() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { break }
            guard let server = Self.connect(server) else {
                Glibc.close(client)
                continue
            }
            let number = state.withLock { state in
                state.sockets += [client, server]
                state.pairs += 1
                return state.pairs - 1
            }
            Self.onThread { [self] in pump(number, client, server) }
            Self.onThread { [self] in pump(number, server, client) }
        }
        Glibc.close(listener)
    }

    /// Sockets stay open until the process ends: a number that is used again would be another connection's.
    private func pump(_ number: Int, _ from: Int32, _ to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(from, &buffer, buffer.count, 0)
            while state.withLock({ number < $0.firstAlive }) { usleep(2000) }
            guard count > 0, send(to, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
        }
        shutdown(from, Int32(SHUT_RDWR))
        shutdown(to, Int32(SHUT_RDWR))
    }

    // MARK: Sockets

    /// A socket that listens on the loopback address. Nobody has to accept: the kernel takes connections, and nothing is ever said on them.
    static func listen() throws -> (socket: Int32, port: UInt16) {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && Glibc.listen(socket, 64) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard isListening else { throw Failed() }
        return (socket, UInt16(bigEndian: address.sin_port))
    }

    private static func connect(_ port: UInt16) -> Int32? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(port)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return status == 0 ? socket : nil
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func onThread(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        let status = pthread_create(
            &thread,
            nil,
            { context in
                if let context { Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            },
            box.toOpaque()
        )
        if status == 0 { pthread_detach(thread) } else { box.release() }
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
