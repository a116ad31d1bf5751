import SparqClient
import Testing

/// Paths that die without a word while nothing is said: a firewall has forgotten the connection, a laptop has changed its network.
@Suite(.timeLimit(.minutes(3))) struct DeadPathTests {
    static let settings = ["SPARQ_PING_MS": "1000"]

    /// A front that is reached through a forwarder.
    private func swallowing(_ front: Front) async throws -> (Forwarder, Front) {
        let forwarder = try await Forwarder(toHost: "127.0.0.1", port: front.port)
        try await forwarder.open()
        return (forwarder, Front(process: front.process, id: front.id, port: forwarder.port))
    }

    @Test func aClientThatIsIdleNoticesAndComesBack() async throws {
        try await Stack.with(fronts: 1, workers: 1, front: Self.settings) { _, fronts in
            let (forwarder, front) = try await swallowing(fronts[0])
            let ann = try await Person("ann", registeredAt: fronts[0], fronts: [front])
            _ = try await ann.send("who", [:])
            forwarder.swallow()
            try await eventually("it is back on another socket", within: .seconds(40)) { await ann.client.counters.connections == 2 }
            _ = try await ann.send("who", [:])
            await ann.leave()
            await forwarder.close()
        }
    }

    /// A firewall between the processes and the broker has forgotten their connections. With the heartbeats that they have by
    /// default, and a message that is on its way meanwhile.
    @Test func aFrontAndAWorkerLeaveAPathToTheBrokerThatIsDead() async throws {
        try await Stack.with(fronts: 0, workers: 0) { stack, _ in
            let broker = try await Forwarder(to: try TestEnvironment.amqpURL(), defaultPort: 5_672)
            try await broker.open()
            await stack.route(amqp: try TestEnvironment.url(await stack.amqpURL, port: broker.port))
            let worker = try await stack.startWorker()
            let front = try await stack.startFront()
            try await stack.awaitReady(worker)
            try await stack.awaitReady(front)
            let ann = try await Person("ann", registeredAt: front, fronts: [front])
            try await ann.subscribe("everyone")
            try await ann.send("sendMessage", ["text": "before"])
            let start = ContinuousClock.now
            broker.swallow()
            try await ann.send("sendMessage", ["text": "after"], deadline: .seconds(40))
            try await ann.awaitHeard("everyone", from: "ann", "after")
            #expect(ContinuousClock.now - start < .seconds(15))
            // Its answer may have been lost with the old queue: its socket is closed then, once.
            #expect(await ann.client.counters.connections <= 2)
            #expect(await ann.seqs("everyone") == [1, 2])
            #expect(await ann.faults() == [])
            await ann.leave()
            await broker.close()
        }
    }

    @Test func aPageThatIsIdleNoticesAndComesBackAndStaysOnAPathThatLives() async throws {
        try await Stack.with(fronts: 1, workers: 1, front: Self.settings) { _, fronts in
            let (forwarder, front) = try await swallowing(fronts[0])
            try await WebDriver.with { driver in
                let ann = try await driver.openBrowser()
                try await ann.register("ann", at: front)
                // Remembers what the page goes through, and what it hears from its first question on.
                _ = try await ann.evaluate(
                    """
                    window.went = [];
                    window.heard = [];
                    new MutationObserver(() => went.push(document.body.dataset.status))
                        .observe(document.body, { attributeFilter: ["data-status"] });
                    const send = WebSocket.prototype.send;
                    WebSocket.prototype.send = function (text) {
                        this.isHeard ??= !this.addEventListener("message", ({ data }) => heard.push(data));
                        send.call(this, text);
                    };
                    """
                )
                try await eventually("a few heartbeats are answered") {
                    try await ann.evaluate("return String(heard.filter((each) => each === '{\"type\":\"$pong\"}').length > 2)") == "true"
                }
                #expect(try await ann.evaluate("return String(went)") == "")
                forwarder.swallow()
                try await eventually("it is left, and another one found", within: .seconds(40)) {
                    let went = try await ann.evaluate("return String(went)")
                    return went.hasPrefix("waiting") && went.hasSuffix("open")
                }
                try await ann.say("back again")
                try await ann.awaitText("back again", from: "ann")
            }
            await forwarder.close()
        }
    }
}
