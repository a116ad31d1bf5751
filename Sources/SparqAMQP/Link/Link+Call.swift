internal import CRabbitMQ
internal import Glibc

extension Link {
    /// Sends a request and waits for its answer, up to the configured `rpcTimeout`. What else arrives meanwhile is kept in order.
    func call<Method>(
        _ id: MethodID,
        _ method: inout Method,
        expecting expected: MethodID,
        operation: String
    ) throws(AMQPError) -> Inbound.Reply {
        try send(id, &method)
        return try wait(operation) { event in
            if case .reply(let reply) = event, reply.method == expected { reply } else { nil }
        }
    }

    /// Reads until `match` recognises an answer.
    func wait<Answer>(_ operation: String, for match: (Inbound) -> Answer?) throws(AMQPError) -> Answer {
        let deadline = ContinuousClock.now + configuration.rpcTimeout
        while true {
            try beat()
            while let event = try read() {
                if case .channelClosed(var error) = event {
                    error.operation = operation
                    throw error
                }
                if let answer = match(event) { return answer }
                deferred.append(event)
            }
            let left = deadline - .now
            guard left > .zero else { throw AMQPError(.timeout, "no answer", operation: operation) }
            var entry = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
            _ = poll(&entry, 1, pollMilliseconds(atMost: left))
        }
    }
}

extension Duration {
    /// Rounded up, so that a wait of it does not spin at the end.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    var timeval: Glibc.timeval {
        Glibc.timeval(tv_sec: Int(components.seconds), tv_usec: Int(components.attoseconds / 1_000_000_000_000))
    }
}
