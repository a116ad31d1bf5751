import SparqAMQP
import SparqWire
import SparqWorker
import Testing

/// What the broker writes to its disk of what goes to nodes.
@Suite(.timeLimit(.minutes(1))) struct PersistenceTests {
    /// The end of a user's sockets is told once: nobody would miss it. Events and answers a front asks for again.
    @Test func whatNobodyWouldAskForAgainIsPersistentAndNothingElseIs() async throws {
        try await Stack.with { stack in
            let queue = try await Self.declareNode(stack)
            var router = Router.posting
            router.on("ban", RawMessage.self) { _, _ in [.disconnect(.user("bob"))] }
            try await stack.worker(router)

            try await stack.send([sync(["room:a": 0], version: 1)])
            let page = try await Self.next(queue, stack)
            #expect(page.lines.pages.count == 1 && !page.isPersistent)

            try await stack.send([post("room:a", 1, id: "m1")])
            let event = try await Self.next(queue, stack)
            #expect(event.lines.events.count == 1 && event.lines.dones.count == 1 && !event.isPersistent)

            try await stack.send([envelope("ban", #"{"type":"ban"}"#, ordinal: 2, id: "m2")])
            let end = try await Self.next(queue, stack)
            #expect(end.lines.contains(.disconnect(.user("bob"), origin: "c1 2 0", code: 4003, reason: "")))
            #expect(end.isPersistent)
            _ = try await stack.session.deleteQueue(queue)
        }
    }

    private struct Message {
        var isPersistent: Bool
        var lines: [SparqWire.Delivery]
    }

    /// A node that nobody reads for: its queue keeps what came.
    private static func declareNode(_ stack: Stack) async throws -> String {
        let queue = stack.names.node("n1")
        let topology = Topology(
            exchanges: [Exchange(stack.names.delivery, kind: .direct)],
            queues: [Queue(queue, arguments: ["x-expires": 600_000])],
            bindings: [Binding(from: stack.names.delivery, to: .queue(queue), routingKey: "n1")]
        )
        try await stack.session.declare(topology)
        return queue
    }

    private static func next(_ queue: String, _ stack: Stack) async throws -> Message {
        while true {
            if let delivery = try await stack.session.get(queue: queue) {
                try await stack.session.ack(delivery.tag)
                let lines = try NDJSON.lines(delivery.message.body).map { try SparqWire.Delivery(line: $0) }
                return Message(isPersistent: delivery.message.persistent, lines: lines)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
