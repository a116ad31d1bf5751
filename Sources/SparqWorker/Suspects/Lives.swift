/// What is known of a lane's workers: those that live, and those that died lately. Says what kills workers, and what does not. A value without a
/// clock or I/O: all times are counted back from now.
///
/// A worker that dies over a message dies each time, and soon. One that dies for another reason dies whether it has that message or not. So a message
/// is given up only where workers died over it alone, several times, and far more often in the time that they had it than in the time that they
/// had none of its kind.
struct Lives: Equatable, Sendable {
    struct Life: Equatable, Sendable {
        var worker: String
        /// How long ago it began.
        var began: Duration
        /// How long ago it was last heard of.
        var heard: Duration
        /// What it had in hand then of what workers may die over.
        var suspects: [String] = []
        /// How long ago it took these.
        var taken: Duration = .zero
    }

    enum Verdict: Equatable, Sendable {
        /// Nothing is held against it: it may run beside others of its kind.
        case together
        /// A worker died that had it beside others: no other suspect may run beside it.
        case alone
        /// So did one that had no other. Not every worker may take it: see ``SuspectSettings/retrialAge``.
        case again
        /// Another one has it, or a worker died over it just now.
        case later
        /// It is what kills.
        case givenUp
    }

    /// So many times as many deaths in the time of a message as chance would bring.
    private static let evidence = 8.0

    private let settings: SuspectSettings
    private let alive: [Life]
    private let dead: [Life]

    /// - Parameter own: The worker that asks.
    init(_ lives: [Life], own: String, _ settings: SuspectSettings) {
        self.settings = settings
        let others = lives.filter { $0.worker != own }
        dead = others.filter { $0.heard > settings.deadAfter }
        // It has none in hand while it asks.
        alive = others.filter { $0.heard <= settings.deadAfter } + lives.filter { $0.worker == own }.map { Life($0, without: $0.suspects) }
    }

    /// Whether a worker died that had it in hand.
    func isImplicated(_ suspect: String) -> Bool { dead.contains { $0.suspects.contains(suspect) } }

    func verdict(on suspect: String) -> Verdict {
        if alive.contains(where: { $0.suspects.contains(suspect) }) { return .later }
        let deaths = dead.filter { $0.suspects == [suspect] }
        guard let latest = deaths.map(\.heard).min() else { return isImplicated(suspect) ? .alone : .together }
        if deaths.count >= settings.deaths, Double(deaths.count) >= Self.evidence * expected(deaths) { return .givenUp }
        return latest < settings.deadAfter + pause(after: deaths.count) ? .later : .again
    }

    private func pause(after deaths: Int) -> Duration { min(settings.longestPause, settings.pause * (1 << min(deaths - 1, 16))) }

    /// How many deaths chance alone would bring in the time that workers had the suspect, by how often they died since then while they had no suspect.
    private func expected(_ deaths: [Life]) -> Double {
        guard let period = deaths.map(\.taken).max() else { return 0 }
        let exposure = deaths.reduce(Duration.zero) { $0 + $1.taken - $1.heard }
        let free = (dead + alive).reduce(Duration.zero) { sum, life in
            sum + max(.zero, min(life.began, period) - (life.suspects.isEmpty ? life.heard : life.taken))
        }
        let deathsWithout = dead.count { $0.suspects.isEmpty && $0.heard <= period }
        // When a worker died is known to within a renewal; and what was not seen in a short time may happen all the same.
        return Double(deathsWithout + 1) * ((exposure + settings.renewal * deaths.count) / max(free, settings.renewal))
    }
}

extension Lives.Life {
    /// The same life, but these are not in its hand.
    fileprivate init(_ life: Self, without suspects: [String]) {
        self = life
        self.suspects.removeAll { suspects.contains($0) }
    }
}
