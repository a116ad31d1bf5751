import NIOCore
import NIOPosix
import Synchronization

/// A TCP forwarder between the processes and one of their servers. It does to connections what firewalls, NATs and bad networks do.
final class Middlebox: Sendable {
    /// How long a server keeps a connection that was forgotten and that its client has given up: as if its keepalive had noticed by then.
    static let serverPatience = TimeAmount.seconds(60)

    let port: Int
    private let listener: any Channel
    private let links: Links

    private init(_ listener: any Channel, _ links: Links) {
        self.listener = listener
        self.links = links
        port = listener.localAddress?.port ?? 0
    }

    /// Listens on a free port of the loopback, and leads to `target` there.
    static func open(to target: Int) async throws -> Middlebox {
        let links = Links()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { near in links.connect(near, to: target) }
            .bind(host: "127.0.0.1", port: 0).get()
        return Middlebox(listener, links)
    }

    /// Forgets the connections that are open: nothing passes any more, no end is told. New ones pass. Returns how many there were.
    func forget() -> Int { links.change(to: .forgotten) }

    /// From now on nothing of what the server sends passes on the connections that are open. Returns how many there were.
    func beginUnheard() -> Int { links.change(to: .unheard) }

    /// Cuts them. So the server has all that was sent, and nobody knows.
    func cutUnheard() { links.close(.unheard) }

    /// Whether new connections are ended as soon as they come.
    func refuse(_ isRefusing: Bool) { links.refuse(isRefusing) }

    func close() async {
        try? await listener.close()
        links.closeAll()
    }
}

/// All connections through a middlebox.
private final class Links: Sendable {
    private let all = Mutex<[ObjectIdentifier: Link]>([:])
    private let isRefusing = Atomic(false)

    func refuse(_ isRefusing: Bool) { self.isRefusing.store(isRefusing, ordering: .relaxed) }

    func connect(_ near: any Channel, to port: Int) -> EventLoopFuture<Void> {
        if isRefusing.load(ordering: .relaxed) { return near.eventLoop.makeFailedFuture(ChaosError("refused")) }
        return ClientBootstrap(group: near.eventLoop)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: port)
            .flatMap { far in
                let link = Link(near: near, far: far)
                self.all.withLock { $0[ObjectIdentifier(link)] = link }
                far.closeFuture.and(near.closeFuture).whenComplete { _ in self.all.withLock { $0[ObjectIdentifier(link)] = nil } }
                return link.start()
            }
    }

    func change(to state: Link.State) -> Int {
        all.withLock { all in all.values.count { $0.change(to: state) } }
    }

    func close(_ state: Link.State) {
        for link in all.withLock({ Array($0.values) }) where link.is(state) { link.close() }
    }

    func closeAll() {
        for link in all.withLock({ Array($0.values) }) { link.close() }
    }
}

/// One connection: from a process to the middlebox (near), and from there to the server (far).
private final class Link: Sendable {
    enum State { case passing, unheard, forgotten }

    private let near: any Channel
    private let far: any Channel
    private let state = Mutex(State.passing)

    init(near: any Channel, far: any Channel) {
        self.near = near
        self.far = far
    }

    func start() -> EventLoopFuture<Void> {
        near.eventLoop.makeCompletedFuture {
            try near.pipeline.syncOperations.addHandler(Pipe(self, isNear: true))
            try far.pipeline.syncOperations.addHandler(Pipe(self, isNear: false))
        }
        .flatMap { self.near.setOption(.autoRead, value: true).and(self.far.setOption(.autoRead, value: true)).map { _ in } }
    }

    func `is`(_ state: State) -> Bool { self.state.withLock { $0 == state } }

    /// False where it was changed already.
    func change(to state: State) -> Bool {
        let isNew = self.state.withLock { current in
            guard current == .passing else { return false }
            current = state
            return true
        }
        // What is not read fills the buffers of the kernels, as on a path that loses everything.
        if isNew, state == .forgotten { for side in [near, far] { side.setOption(.autoRead, value: false).whenComplete { _ in } } }
        return isNew
    }

    func close() { for side in [near, far] { side.close(promise: nil) } }

    func received(_ bytes: ByteBuffer, fromNear: Bool) {
        switch state.withLock({ $0 }) {
        case .passing: (fromNear ? far : near).writeAndFlush(bytes, promise: nil)
        case .unheard: if fromNear { far.writeAndFlush(bytes, promise: nil) }
        case .forgotten: break
        }
    }

    func ended(atNear: Bool) {
        guard `is`(.forgotten) else { return (atNear ? far : near).close(promise: nil) }
        if atNear { far.eventLoop.scheduleTask(in: Middlebox.serverPatience) { self.far.close(promise: nil) } }
    }

    /// One side takes more, or no more: the other is read, or not.
    func writabilityChanged(ofNear: Bool, isWritable: Bool) {
        guard !`is`(.forgotten) else { return }
        (ofNear ? far : near).setOption(.autoRead, value: isWritable).whenComplete { _ in }
    }
}

private final class Pipe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let link: Link
    private let isNear: Bool

    init(_ link: Link, isNear: Bool) {
        self.link = link
        self.isNear = isNear
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { link.received(unwrapInboundIn(data), fromNear: isNear) }
    func channelInactive(context: ChannelHandlerContext) { link.ended(atNear: isNear) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        link.writabilityChanged(ofNear: isNear, isWritable: context.channel.isWritable)
    }
}
