import SparqProtocol

extension Operation {
    /// What front and worker say to each other.
    static let codecs =
        [
            Operation("envelope-encode", "front: an envelope into a batch", ceiling: 0) { times in
                var writer = JSONWriter(reservingCapacity: 1 << 18)
                for index in 0..<times {
                    if index % 256 == 0 { writer = JSONWriter(reservingCapacity: 1 << 18) }
                    Sample.envelope.encode(into: &writer)
                }
                use(writer.bytes)
            },
            Operation("envelope-decode", "worker: an envelope out of its line", ceiling: 0) { times in
                let line = Sample.line(Sample.envelope.encode)
                for _ in 0..<times { use(try Envelope(line: line.dropLast())) }
            },
            Operation("batch-decode", "worker: a batch of 32 envelopes", ceiling: 0) { times in
                let body = Array((0..<Sample.batch).map { _ in Sample.line(Sample.envelope.encode) }.joined())
                for _ in 0..<times { for line in NDJSON.lines(body) { use(try Envelope(line: line)) } }
            },
        ] + zip(["event", "done"], Sample.deliveries).flatMap { name, delivery in coding(name, delivery) }

    private static func coding(_ name: String, _ delivery: Delivery) -> [Operation] {
        [
            Operation("\(name)-encode", "worker: a delivery (`\(name)`) into a batch", ceiling: 0) { times in
                var writer = JSONWriter(reservingCapacity: 1 << 18)
                for index in 0..<times {
                    if index % 256 == 0 { writer = JSONWriter(reservingCapacity: 1 << 18) }
                    delivery.encode(into: &writer)
                }
                use(writer.bytes)
            },
            Operation("\(name)-decode", "front: a delivery (`\(name)`) out of its line", ceiling: 0) { times in
                let line = Sample.line(delivery.encode)
                for _ in 0..<times { use(try Delivery(line: line.dropLast())) }
            },
        ]
    }
}
