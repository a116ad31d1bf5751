import CAllocationCount

/// What one operation costs.
struct Measurement {
    /// Nanoseconds of one, the median of the samples.
    let nanoseconds: Double
    /// Of the fastest sample.
    let fastest: Double
    /// Allocations of one.
    let allocations: Double
    /// Bytes that these asked for.
    let bytes: Double

    /// - Parameter samples: each takes about 20 ms.
    init(_ operation: Operation, samples: Int = 25) throws {
        let clock = ContinuousClock()
        var times = 64
        try operation.run(times)
        while try clock.measure({ try operation.run(times) }) < .milliseconds(20) { times *= 2 }
        let each = try (0..<samples).map { _ in
            let taken = try clock.measure { try operation.run(times) }
            return Double(taken.components.attoseconds) / 1e9 / Double(times) + Double(taken.components.seconds) * 1e9 / Double(times)
        }.sorted()
        nanoseconds = each[samples / 2]
        fastest = each[0]
        (allocations, bytes) = try Self.allocations(of: operation)
    }

    /// Without what an operation sets up: the difference between many and few.
    static func allocations(of operation: Operation) throws -> (count: Double, bytes: Double) {
        func cost(_ times: Int) throws -> (count: UInt64, bytes: UInt64) {
            let before = (allocation_count(), allocation_bytes())
            try operation.run(times)
            return (allocation_count() - before.0, allocation_bytes() - before.1)
        }
        _ = try cost(256)
        let few = try cost(256)
        let many = try cost(768)
        return (Double(many.count - few.count) / 512, Double(many.bytes - few.bytes) / 512)
    }
}
