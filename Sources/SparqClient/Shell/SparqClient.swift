public import Logging
public import NIOCore
internal import NIOPosix
internal import SparqWebSocket

/// A client that keeps its session over broken connections: it comes back to another front, resumes every topic where it
/// stood, and sends again what has no answer.
///
/// ```swift
/// let client = try SparqClient(configuration: ClientConfiguration(urls: fronts, token: token), logger: logger)
/// async let running: Void = client.run()
/// _ = try await client.subscribe(["room:lobby": nil])
/// let reply = try await client.send("room.send", ["room": "lobby", "text": "hi"])
/// for await event in client.events { … }
/// ```
/// The actor runs on one event loop, its sockets' own: hundreds of clients share a few threads and need no task each.
public actor SparqClient {
    let configuration: ClientConfiguration
    let endpoints: [Endpoint]
    let eventLoop: any EventLoop
    /// For `wss` alone.
    let tls: ClientTLS?
    let logger: Logger
    var machine: ClientMachine
    var mailbox: EventMailbox
    var nextEndpoint: Int
    /// Counts the sockets; what an older one says is not heard.
    var epoch = 0
    var channel: (any Channel)?
    var encoder = FrameEncoder(role: .client)
    var dialing: Scheduled<Void>?
    var timer: (at: Int, task: Scheduled<Void>)?
    private var nextToken = 1
    var replies: [Int: CheckedContinuation<Result<Reply, ClientError>, Never>] = [:]
    var outcomes: [Int: CheckedContinuation<Result<[String: SubscriptionOutcome], ClientError>, Never>] = [:]
    var runner: CheckedContinuation<ClientError?, Never>?

    /// The event loop's, so that sockets and actor need no hops between them.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { eventLoop.executor.asUnownedSerialExecutor() }

    /// A client that does nothing before ``run()``.
    /// - Throws: ``ClientError/Code/invalidURL``; ``ClientError/Code/invalidTLS`` where the system's authorities cannot be read.
    public init(
        configuration: ClientConfiguration,
        logger: Logger,
        eventLoopGroup: (any EventLoopGroup)? = nil
    ) throws(ClientError) {
        guard !configuration.urls.isEmpty else { throw ClientError(.invalidURL, "There is no URL.") }
        var endpoints: [Endpoint] = []
        for url in configuration.urls { endpoints.append(try Endpoint(url)) }
        let seed = configuration.seed ?? .random(in: .min ... .max)
        let prefix = configuration.idPrefix ?? String(UInt64.random(in: .min ... .max), radix: 36)
        self.configuration = configuration
        self.endpoints = endpoints
        if !endpoints.contains(where: \.isSecure) {
            tls = nil
        } else if let given = configuration.tls {
            tls = given
        } else {
            tls = try ClientTLS.system()
        }
        self.logger = logger
        eventLoop = (eventLoopGroup ?? MultiThreadedEventLoopGroup.singleton).next()
        machine = ClientMachine(
            ClientMachine.Configuration(
                idPrefix: prefix,
                unansweredLimit: configuration.unansweredLimit,
                backoffBase: configuration.backoffBaseMilliseconds,
                backoffCap: configuration.backoffCapMilliseconds,
                seed: seed
            )
        )
        mailbox = EventMailbox(limit: configuration.eventLimit)
        nextEndpoint = Int(seed % UInt64(endpoints.count))
    }

    /// Keeps a session until ``close()``, cancellation, or a reason not to come back.
    /// - Throws: ``ClientError/Code/gaveUp``, ``ClientError/Code/unauthenticated`` or ``ClientError/Code/untrusted``; ``ClientError/Code/closed``
    ///   where it ran before.
    public func run() async throws(ClientError) {
        guard machine.phase == .idle, runner == nil else { throw ClientError(.closed, "A client runs once.") }
        let error = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                runner = continuation
                apply(machine.start(now: now))
            }
        } onCancel: {
            eventLoop.execute { self.assumeIsolated { $0.close() } }
        }
        if let error { throw error }
    }

    /// Ends the session for good: calls that wait fail with ``ClientError/Code/closed``, the events end.
    public func close() {
        apply(machine.close())
    }

    /// How the client stands.
    public var state: ClientState {
        switch machine.phase {
        case .idle: .idle
        case .connecting, .opened: .connecting
        case .ready: .ready
        case .finished: .finished
        }
    }

    /// What was counted so far.
    public var counters: ClientCounters { machine.counters }

    /// The last `seq` of every topic: what to subscribe with in another life of the process.
    public var cursors: [String: Int] { machine.topics.compactMapValues(\.cursor) }

    /// What happens, in order, for one reader. At ``ClientConfiguration/eventLimit`` untaken ones the client stops reading.
    public nonisolated var events: ClientEvents { ClientEvents(client: self) }

    /// Sends a message and waits for its reply, over as many sockets as that takes.
    /// - Parameters:
    ///   - type: chooses the handler.
    ///   - fields: what the handler wants; encodes to a JSON object without `type` and `id`.
    ///   - deadline: how long to go on trying.
    /// - Throws: ``ClientError/Code/refused`` with the server's reason, ``ClientError/Code/deadline``, ``ClientError/Code/tooLarge`` and others.
    public func send(_ type: String, _ fields: some Encodable, deadline: Duration = .seconds(30)) async throws(ClientError) -> Reply {
        try await send(type, json: try ApplicationJSON.fields(fields), deadline: deadline)
    }

    /// The same with fields that are JSON text already: one object.
    public func send(_ type: String, json fields: [UInt8], deadline: Duration = .seconds(30)) async throws(ClientError) -> Reply {
        let token = takeToken()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                replies[token] = continuation
                let now = now
                apply(machine.send(type: type, fields: fields, token: token, deadline: now + deadline.milliseconds, now: now))
            }
        } onCancel: {
            cancel(token)
        }
        return try result.get()
    }

    /// Subscribes to up to 100 topics at a time; the client keeps them over reconnects.
    /// - Parameters:
    ///   - topics: the last `seq` that one has; `nil` for "from now on".
    ///   - deadline: how long to wait for the answer.
    /// - Returns: each topic's outcome. A refused topic is forgotten.
    public func subscribe(
        _ topics: [String: Int?],
        deadline: Duration = .seconds(30)
    ) async throws(ClientError) -> [String: SubscriptionOutcome] {
        let token = takeToken()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                outcomes[token] = continuation
                apply(machine.subscribe(topics, token: token, deadline: now + deadline.milliseconds))
            }
        } onCancel: {
            cancel(token)
        }
        return try result.get()
    }

    /// Lets go of topics; no event of theirs is handed on after this.
    public func unsubscribe(_ topics: [String]) {
        apply(machine.unsubscribe(topics))
    }

    /// Breaks the socket off without a word, as a lost network would. The client comes back by itself.
    public func breakOff() {
        channel?.close(promise: nil)
    }

    private func takeToken() -> Int {
        defer { nextToken += 1 }
        return nextToken
    }

    private nonisolated func cancel(_ token: Int) {
        eventLoop.execute { self.assumeIsolated { $0.apply($0.machine.cancel(token: token, now: $0.now)) } }
    }
}

extension Duration {
    /// Whole milliseconds, at least 0.
    var milliseconds: Int {
        let parts = components
        return max(
            0,
            Int(clamping: parts.seconds.multipliedReportingOverflow(by: 1_000).partialValue + parts.attoseconds / 1_000_000_000_000_000)
        )
    }
}
