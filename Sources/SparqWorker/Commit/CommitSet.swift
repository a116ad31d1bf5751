/// What one turn of the commit stage works on: the messages of some runs. A value without I/O.
///
/// A run whose repeats need their policies' answers first, or that the server fails over, takes no part in the turn any more: nothing more of
/// it is committed, as if a handler of its connection were slow.
struct CommitSet: Sendable {
    private let runs: [Run]
    /// Of all runs, in order.
    private(set) var units: [Unit]
    /// The places of the runs that are held.
    private var waiting: Set<Int> = []
    /// The places of their units.
    private var heldUnits: Set<Int> = []

    init(_ runs: [Run]) {
        self.runs = runs
        units = runs.flatMap(\.units)
    }

    /// The places of the units that are to be committed in this turn.
    var pending: [Int] { units.indices.filter(isPending) }

    func isPending(_ place: Int) -> Bool { units[place].needsCommit && (heldUnits.isEmpty || !heldUnits.contains(place)) }

    /// Which attempt a unit's message is, counted from 1.
    func attempt(of place: Int) -> Int { runs[owner(of: place).run].batch.attempt }

    subscript(places: [Int]) -> [Unit] {
        get { places.map { units[$0] } }
        set { for (place, unit) in zip(places, newValue) { units[place] = unit } }
    }

    mutating func replace(_ place: Int, with unit: Unit) {
        units[place] = unit
        if !unit.doubtful.isEmpty { hold(place) }
    }

    /// The run of this place goes on beside the turn.
    mutating func hold(_ place: Int) {
        let (run, units) = owner(of: place)
        if waiting.insert(run).inserted { heldUnits.formUnion(units) }
    }

    /// What goes on from this turn: its units, and who is told when they are delivered.
    var settled: (units: [Unit], tickets: [Ticket]) {
        if waiting.isEmpty { return (units, runs.map(\.ticket)) }
        let runs = current.filter { !waiting.contains($0.offset) }.map(\.element)
        return (runs.flatMap(\.units), runs.map(\.ticket))
    }

    /// The runs that go on beside the turn.
    var held: [Run] { waiting.isEmpty ? [] : current.filter { waiting.contains($0.offset) }.map(\.element) }

    /// The runs with the units as they are now.
    private var current: [(offset: Int, element: Run)] {
        var rest = units[...]
        return runs.enumerated().map { offset, run in
            var run = run
            run.units = Array(rest.prefix(run.units.count))
            rest = rest.dropFirst(run.units.count)
            return (offset, run)
        }
    }

    /// The place of a unit's run, and the places of all of that run's units.
    private func owner(of place: Int) -> (run: Int, units: Range<Int>) {
        var units = 0..<0
        for (index, run) in runs.enumerated() {
            units = units.upperBound..<(units.upperBound + run.units.count)
            if place < units.upperBound { return (index, units) }
        }
        return (runs.endIndex, units)
    }
}
