/// How long messages waited for their answers, in milliseconds.
actor Latencies {
    private var values: [Int] = []

    func note(_ duration: Duration) { values.append(duration.wholeMilliseconds) }

    /// The value below which `part` of all lie.
    func percentile(_ part: Double) -> Int {
        guard !values.isEmpty else { return 0 }
        return values.sorted()[min(values.count - 1, Int(Double(values.count) * part))]
    }
}

extension Duration {
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
