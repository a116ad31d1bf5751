import Histogram

/// Latencies in an HdrHistogram: nanoseconds in, three significant digits.
struct LatencyRecorder {
    private var histogram = Histogram<UInt64>(highestTrackableValue: 600_000_000_000, numberOfSignificantValueDigits: .three)

    mutating func record(_ nanoseconds: Int, count: Int = 1) {
        histogram.record(UInt64(clamping: min(nanoseconds, 600_000_000_000)), count: UInt64(count))
    }

    var count: Int { Int(histogram.totalCount) }

    var summary: BenchResult.Latency? {
        guard histogram.totalCount > 0 else { return nil }
        func at(_ percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) / 1000 }
        return BenchResult.Latency(p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: Double(histogram.max) / 1000)
    }
}
