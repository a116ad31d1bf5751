internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import SparqWebSocket

/// Carries out what the machine wants, and tells it what happened.
extension SparqClient {
    /// Milliseconds that only grow.
    var now: Int { Int(NIODeadline.now().uptimeNanoseconds / 1_000_000) }

    func apply(_ actions: [ClientAction]) {
        var wrote = false
        for action in actions {
            switch action {
            case .write(let bytes):
                channel?.write(encoder.frame(.text, payload: bytes), promise: nil)
                wrote = true
            case .connect(let delay): scheduleDial(after: delay)
            case .disconnect(let code): disconnect(code)
            case .complete(let token, let result): replies.removeValue(forKey: token)?.resume(returning: result)
            case .subscribed(let token, let result): outcomes.removeValue(forKey: token)?.resume(returning: result)
            case .deliver(let event): deliver(event)
            case .finish(let error): finish(error)
            }
        }
        if wrote { channel?.flush() }
        scheduleTick()
    }

    // MARK: From the socket

    func opened(epoch: Int, channel: any Channel) {
        guard epoch == self.epoch else { return channel.close(promise: nil) }
        self.channel = channel
        machine.connected(now: now)
        if mailbox.isPaused { channel.setOption(.autoRead, value: false).whenComplete { _ in } }
        scheduleTick()
    }

    func heard(epoch: Int) {
        if epoch == self.epoch { machine.heard(now: now) }
    }

    func received(epoch: Int, _ bytes: [UInt8]) {
        if epoch == self.epoch { apply(machine.received(bytes, now: now)) }
    }

    func closed(epoch: Int, code: Int?) {
        guard epoch == self.epoch else { return }
        channel = nil
        logger.info("socket closed", metadata: ["code": "\(code.map(String.init) ?? "none")"])
        apply(machine.closed(code: code, now: now))
    }

    func failed(epoch: Int, status: Int?, retryAfter: Int? = nil) {
        guard epoch == self.epoch else { return }
        logger.info("no socket", metadata: ["status": "\(status.map(String.init) ?? "none")"])
        apply(machine.connectFailed(status: status, retryAfter: retryAfter, now: now))
    }

    /// The server's certificate was refused.
    func distrusted(epoch: Int, _ reason: String) {
        guard epoch == self.epoch else { return }
        apply(machine.distrusted(reason))
    }

    // MARK: To the socket

    private func scheduleDial(after milliseconds: Int) {
        epoch += 1
        let epoch = epoch
        dialing = eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds))) { self.assumeIsolated { $0.dial(epoch) } }
    }

    private func dial(_ epoch: Int) {
        guard epoch == self.epoch else { return }
        let endpoint = endpoints[nextEndpoint % endpoints.count].resuming(machine.resumes)
        nextEndpoint += 1
        let (configuration, tls) = (configuration, endpoint.isSecure ? tls : nil)
        let timeout = TimeAmount.milliseconds(Int64(configuration.connectTimeoutMilliseconds))
        ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(context: tls.context, serverHostname: endpoint.serverName)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    let handler = ClientHandler(
                        client: self,
                        epoch: epoch,
                        upgrade: UpgradeExchange(endpoint: endpoint, token: configuration.token, headers: configuration.headers),
                        timeout: timeout,
                        frameLimit: configuration.frameLimit
                    )
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: endpoint.host, port: endpoint.port)
            .whenFailure { _ in self.assumeIsolated { $0.failed(epoch: epoch, status: nil) } }
    }

    private func disconnect(_ code: Int?) {
        epoch += 1
        guard let channel else { return }
        self.channel = nil
        if let code, let raw = UInt16(exactly: code) {
            // On a path that is dead the frame may never leave.
            let end = eventLoop.scheduleTask(in: .seconds(5)) { channel.close(promise: nil) }
            channel.writeAndFlush(encoder.close(.init(rawValue: raw))).whenComplete { _ in
                end.cancel()
                channel.close(promise: nil)
            }
        } else {
            channel.close(promise: nil)
        }
    }

    private func finish(_ error: ClientError?) {
        epoch += 1
        dialing?.cancel()
        timer?.task.cancel()
        timer = nil
        mailbox.finish()
        if let error { logger.warning("client gave up", metadata: ["error": "\(error)"]) }
        runner?.resume(returning: error)
        runner = nil
    }

    // MARK: Time

    private func scheduleTick() {
        guard let at = machine.nextTick else { return }
        // A tick that comes too early only asks for the next one.
        if let timer, timer.at <= at { return }
        timer?.task.cancel()
        let task = eventLoop.scheduleTask(in: .milliseconds(Int64(max(0, at - now)))) { self.assumeIsolated { $0.tick() } }
        timer = (at, task)
    }

    private func tick() {
        timer = nil
        // A client that does not read cannot tell a silent peer.
        if mailbox.isPaused { machine.heard(now: now) }
        apply(machine.tick(now: now))
    }

    // MARK: Events

    private func deliver(_ event: ClientEvent) {
        if mailbox.put(event) { channel?.setOption(.autoRead, value: false).whenComplete { _ in } }
    }

    /// All events that wait, or the next one; empty at the end.
    func takeEvents() async -> [ClientEvent] {
        if mailbox.isEmpty, !mailbox.isFinished {
            await withTaskCancellationHandler {
                await withCheckedContinuation { mailbox.wait($0) }
            } onCancel: {
                eventLoop.execute { self.assumeIsolated { $0.mailbox.wake() } }
            }
        }
        let (events, resumes) = mailbox.take()
        if resumes {
            machine.heard(now: now)
            channel?.setOption(.autoRead, value: true).whenComplete { _ in }
        }
        return events
    }
}
