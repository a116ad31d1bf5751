import Glibc

/// Many clients on one thread.
final class Fleet {
    let poller: Poller
    private(set) var sockets: [BenchSocket] = []
    private let buffer: UnsafeMutableRawBufferPointer
    private var opened = 0

    init() throws {
        poller = try Poller()
        buffer = .allocate(byteCount: 1 << 18, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// Opens `count` more sockets, spread over the addresses, at most `atOnce` in the middle of it, and returns when each is welcome and,
    /// where topics are named, subscribed to them. `arrived` is told how long each took, in nanoseconds.
    func open(
        _ count: Int,
        at addresses: [Address],
        session: String?,
        atOnce: Int = 128,
        topics: (Int) -> [String] = { _ in [] },
        arrived: (Int) -> Void = { _ in }
    ) throws {
        let first = sockets.count
        var begun: [Int] = []
        var ready = 0
        var failure: String?
        let deadline = nanoseconds() + 120_000_000_000
        while ready < count {
            while begun.count < count, begun.count - ready < atOnce {
                let index = first + begun.count
                begun.append(nanoseconds())
                // Beyond the ephemeral ports of one address there are others of this machine.
                let source = addresses[0].host == "127.0.0.1" && index >= 20_000 ? "127.0.0.\(2 + index / 20_000)" : nil
                sockets.append(
                    try BenchSocket(addresses[index % addresses.count], token: index, session: session, poller: poller, source: source)
                )
                // A connection without an upgrade is there with the handshake of TCP.
                if session == nil { ready += 1 }
            }
            try turn(nanoseconds: 100_000_000) { index, text in
                guard index >= first else { return }
                if FrameReading.contains(text, "\"type\":\"$welcome\"") {
                    let topics = topics(index - first)
                    if !topics.isEmpty { return sockets[index].send(Self.subscribe(to: topics)) }
                } else if !FrameReading.contains(text, "\"re\":\"sub-") {
                    return
                } else if FrameReading.contains(text, "\"ok\":false") {
                    failure = String(decoding: text, as: UTF8.self)
                }
                ready += 1
                arrived(nanoseconds() - begun[index - first])
            }
            if let failure { throw BenchError("a socket was refused: \(failure)") }
            if let end = sockets[first...].lazy.compactMap(\.end).first { throw BenchError("a socket closed: \(end)") }
            if nanoseconds() > deadline { throw BenchError("only \(ready) of \(count) sockets were welcome within two minutes") }
        }
    }

    /// Waits once for what comes, and hands over each text message.
    func turn(nanoseconds limit: Int, _ text: (_ socket: Int, _ text: UnsafeRawBufferPointer) throws -> Void) throws {
        var failure: (any Error)?
        try poller.wait(nanoseconds: limit) { token, readable, writable in
            let socket = sockets[token]
            if writable { socket.writable() }
            if readable { socket.readable(buffer) { do { try text(token, $0) } catch { failure = error } } }
        }
        if let failure { throw failure }
    }

    /// Listens until the processes have little left to do: arrivals, departures of the sockets of another measurement, a checkpoint. At
    /// most 15 seconds.
    func settle(_ processes: WatchedProcesses) throws {
        let end = nanoseconds() + 15_000_000_000
        var isQuiet = processes.groups.isEmpty
        while !isQuiet, nanoseconds() < end {
            let meter = ProcessorMeter(processes)
            let next = nanoseconds() + 400_000_000
            while nanoseconds() < next { try turn(nanoseconds: 100_000_000) { _, _ in } }
            isQuiet = meter.shares(messages: 1).reduce(0) { $0 + $1.cores } < 0.2
        }
    }

    private static func subscribe(to topics: [String]) -> [UInt8] {
        let cursors = topics.map { "\"\($0)\":null" }.joined(separator: ",")
        var subscribe = MessageTemplate("{\"type\":\"subscribe\",\"id\":\"sub-#########\",\"topics\":{\(cursors)}}")
        subscribe.patch(Int.random(in: 0..<1_000_000_000))
        return subscribe.frame
    }

    var closed: [String] { sockets.compactMap(\.end) }
}
