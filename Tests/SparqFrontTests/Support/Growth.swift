/// How much longer something takes for a larger input: the least of some tries each, because a busy machine only adds.
enum Growth {
    /// - Parameter work: takes the size, and returns what is to be timed.
    static func ratio(small: Int, large: Int, _ work: (Int) throws -> () -> Void) rethrows -> Double {
        func least(_ size: Int) throws -> Duration {
            var least = Duration.seconds(3600)
            for _ in 0..<5 {
                let body = try work(size)
                least = min(least, ContinuousClock().measure(body))
            }
            return least
        }
        let (first, second) = (try least(small), try least(large))
        return second / max(first, .nanoseconds(1))
    }
}
