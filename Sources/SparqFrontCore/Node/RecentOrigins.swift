/// The instructions for users that the node has carried out lately, by their origin: one that a worker repeats must not hit connections that came
/// back since. A value without I/O; remembers the last so many at least.
package struct RecentOrigins: Sendable {
    private let limit: Int
    private var recent: Set<String> = []
    private var older: Set<String> = []

    package init(limit: Int) { self.limit = limit }

    /// Whether it was not heard before.
    package mutating func insert(_ origin: String) -> Bool {
        if older.contains(origin) || !recent.insert(origin).inserted { return false }
        if recent.count >= limit { (older, recent) = (recent, []) }
        return true
    }
}
