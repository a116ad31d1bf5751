import SparqWire

extension Operation {
    /// What front and worker say to each other.
    static let codecs =
        [
            Operation("envelope-encode", "front: an envelope into a batch", ceiling: 0.02, debug: 31) { times in
                encode(times) { Sample.envelope.encode(into: &$0) }
            },
            Operation("envelope-decode", "worker: an envelope out of its line", ceiling: 1) { times in
                let line = Sample.line(Sample.envelope.encode)
                for _ in 0..<times { use(try Envelope(line: line.dropLast())) }
            },
            Operation("batch-encode", "front: a batch of 32 envelopes", ceiling: 6, debug: 966) { times in
                for _ in 0..<times {
                    var writer = JSONWriter(reservingCapacity: 1024)
                    for _ in 0..<Sample.batch { Sample.envelope.encode(into: &writer) }
                    use(writer.bytes)
                }
            },
            Operation("batch-decode", "worker: a batch of 32 envelopes", ceiling: 38, debug: 70) { times in
                let body = Array((0..<Sample.batch).map { _ in Sample.line(Sample.envelope.encode) }.joined())
                for _ in 0..<times { for line in NDJSON.lines(body) { use(try Envelope(line: line)) } }
            },
        ] + zip(["event", "done"], Sample.deliveries).flatMap { name, delivery in coding(name, delivery) }

    private static func coding(_ name: String, _ delivery: Delivery) -> [Operation] {
        [
            Operation("\(name)-encode", "worker: a delivery (`\(name)`) into a batch", ceiling: 0.02, debug: 3.02) { times in
                encode(times) { delivery.encode(into: &$0) }
            },
            Operation("\(name)-decode", "front: a delivery (`\(name)`) out of its line", ceiling: 1) { times in
                let line = Sample.line(delivery.encode)
                for _ in 0..<times { use(try Delivery(line: line.dropLast())) }
            },
        ]
    }

    /// Into a batch that has room for 128 lines, then into another one.
    private static func encode(_ times: Int, _ line: (inout JSONWriter) -> Void) {
        var writer = JSONWriter(reservingCapacity: 1 << 16)
        for index in 0..<times {
            if index % 128 == 127 { writer = JSONWriter(reservingCapacity: 1 << 16) }
            line(&writer)
        }
        use(writer.bytes)
    }
}
