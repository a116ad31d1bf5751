/// Why a bench cannot run, or does not count.
public struct BenchError: Error, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}
