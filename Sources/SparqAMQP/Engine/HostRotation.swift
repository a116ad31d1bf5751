/// Which host the next attempt goes to, as a value: each attempt takes the next one, and a pause is due after each round.
struct HostRotation {
    /// Where the rotations of this process begin: with several hosts, the processes of a cluster spread over them.
    static let processStart = Int.random(in: 0..<1_000_000)

    private let hosts: [AMQPHost]
    private var position: Int
    private var tried = 0

    init(_ hosts: [AMQPHost], start: Int = processStart) {
        self.hosts = hosts
        position = hosts.isEmpty ? 0 : start % hosts.count
    }

    /// Whether every host had its attempt since ``beginRound()``.
    var isRoundOver: Bool { tried >= hosts.count }

    /// The next host; fails where the configuration names none.
    mutating func next() throws(AMQPError) -> AMQPHost {
        tried += 1
        guard !hosts.isEmpty else { throw AMQPError(.invalidArgument, "the configuration names no host", operation: "connecting") }
        defer { position = (position + 1) % hosts.count }
        return hosts[position]
    }

    mutating func beginRound() { tried = 0 }
}
