/// What one turn of the commit stage works on: the messages of some groups. A value without I/O.
///
/// A group whose repeats need their policies' answers first, or that the server fails over, takes no part in the turn any more: nothing more of
/// it is committed, as if a handler of its connection were slow.
struct CommitSet: Sendable {
    private let groups: [CommitGroup]
    /// Of all groups, in order.
    private(set) var outcomes: [MessageOutcome]
    /// The places of the groups that are held.
    private var waiting: Set<Int> = []
    /// The places of their messages.
    private var heldPlaces: Set<Int> = []

    init(_ groups: [CommitGroup]) {
        self.groups = groups
        outcomes = groups.flatMap(\.outcomes)
    }

    /// The places of the messages that are to be committed in this turn.
    var pending: [Int] { outcomes.indices.filter { isPending($0) } }

    func isPending(_ place: Int) -> Bool {
        guard case .handled = outcomes[place] else { return false }
        return heldPlaces.isEmpty || !heldPlaces.contains(place)
    }

    /// What is to be committed of the messages at these places, which are pending.
    func handled(_ places: [Int]) -> [HandledMessage] {
        places.compactMap { if case .handled(let message) = outcomes[$0] { message } else { nil } }
    }

    /// Which attempt a message is, counted from 1.
    func attempt(of place: Int) -> Int { groups[owner(of: place).group].batch.attempt }

    /// What is at these places stands.
    mutating func committed(_ messages: [CommittedMessage], at places: [Int]) {
        for (place, message) in zip(places, messages) { outcomes[place] = .committed(message) }
    }

    mutating func replace(_ place: Int, with outcome: MessageOutcome) {
        outcomes[place] = outcome
        if case .repeated = outcome { hold(place) }
    }

    /// The group of this place goes on beside the turn.
    mutating func hold(_ place: Int) {
        let (group, places) = owner(of: place)
        if waiting.insert(group).inserted { heldPlaces.formUnion(places) }
    }

    /// What goes on from this turn, and what is ended when it is delivered.
    var settled: (messages: [SettledMessage], completions: [Completion]) {
        var messages: [SettledMessage] = []
        messages.reserveCapacity(outcomes.count)
        for place in outcomes.indices where heldPlaces.isEmpty || !heldPlaces.contains(place) {
            // Whoever delivered a message that is not committed would ack it, and it would never take effect.
            guard case .settled(let message) = outcomes[place] else {
                preconditionFailure("a turn leaves no message of its own uncommitted")
            }
            messages.append(message)
        }
        return (messages, groups.indices.filter { !waiting.contains($0) }.map { groups[$0].completion })
    }

    /// The groups that go on beside the turn, with their messages as they are now.
    var held: [CommitGroup] {
        if waiting.isEmpty { return [] }
        var rest = outcomes[...]
        var held: [CommitGroup] = []
        for (index, group) in groups.enumerated() {
            var group = group
            group.outcomes = Array(rest.prefix(group.outcomes.count))
            rest = rest.dropFirst(group.outcomes.count)
            if waiting.contains(index) { held.append(group) }
        }
        return held
    }

    /// The place of a message's group, and the places of all messages of that group.
    private func owner(of place: Int) -> (group: Int, places: Range<Int>) {
        var places = 0..<0
        for (index, group) in groups.enumerated() {
            places = places.upperBound..<(places.upperBound + group.outcomes.count)
            if place < places.upperBound { return (index, places) }
        }
        return (groups.endIndex, places)
    }
}
