import Testing

@testable import SparqWorker

@Suite struct LivesTests {
    private static let settings = SuspectSettings()

    private func lives(_ list: [Lives.Life]) -> Lives { Lives(list, own: "me", Self.settings) }

    private func life(_ worker: String, began: Int, heard: Int, _ suspects: [String] = [], taken: Int = 0) -> Lives.Life {
        Lives.Life(worker: worker, began: .seconds(began), heard: .seconds(heard), suspects: suspects, taken: .seconds(taken))
    }

    @Test func whatNobodyDiedOverRunsBesideOthers() {
        #expect(lives([]).verdict(on: "a") == .together)
        #expect(lives([life("w", began: 90, heard: 60), life("x", began: 90, heard: 60, ["b"], taken: 61)]).verdict(on: "a") == .together)
    }

    @Test func whatAWorkerDiedOverBesideOthersRunsAlone() {
        let lives = lives([life("w", began: 90, heard: 60, ["a", "b"], taken: 61)])
        #expect(lives.verdict(on: "a") == .alone && lives.isImplicated("a") && !lives.isImplicated("c"))
    }

    @Test func whatAnotherHasIsPutOff() {
        #expect(lives([life("w", began: 90, heard: 1, ["a"], taken: 2)]).verdict(on: "a") == .later)
        // Its own row says what it had before.
        #expect(lives([life("me", began: 90, heard: 1, ["a"], taken: 2)]).verdict(on: "a") == .together)
    }

    /// 2 s after the first death, beside the 6 s in which nobody knows of it; then 4, 8, 16.
    @Test func eachDeathOverItMakesThePauseLonger() {
        for (deaths, pause) in [(1, 8), (2, 10), (3, 14), (4, 22)] {
            let list = { (last: Int) in
                (0..<deaths).map { life("w\($0)", began: last + 200 * $0 + 9, heard: last + 200 * $0, ["a"], taken: last + 200 * $0 + 1) }
            }
            #expect(lives(list(pause - 1)).verdict(on: "a") == .later)
            #expect(lives(list(pause)).verdict(on: "a") == .again)
        }
    }

    @Test func whatKillsAtOnceAndAloneIsGivenUpAtTheFifthDeath() {
        let deaths = (0..<5).map { life("w\($0)", began: 20 * $0 + 19, heard: 20 * $0 + 9, ["a"], taken: 20 * $0 + 9) }
        #expect(lives(deaths).verdict(on: "a") == .givenUp)
        #expect(lives(Array(deaths.dropLast())).verdict(on: "a") != .givenUp)
    }

    @Test func whereWorkersDieWithoutItTooItIsNotGivenUp() {
        let deaths = (0..<5).map { life("w\($0)", began: 50 * $0 + 49, heard: 50 * $0 + 9, ["a"], taken: 50 * $0 + 11) }
        let others = (0..<12).map { life("x\($0)", began: 15 * $0 + 14, heard: 15 * $0 + 9) }
        #expect(lives(deaths).verdict(on: "a") == .givenUp)
        #expect(lives(deaths + others).verdict(on: "a") != .givenUp)
    }

    // MARK: Whole histories

    /// Workers of a lane that die one after the other, and what they find in the suspects' queue: a second is a step.
    private struct History {
        var generator: SeededGenerator
        /// How long workers live that die for another reason.
        var lifetime: ClosedRange<Int>
        /// After so many seconds it kills; `nil` never, and waits for something all the time.
        var suspects: [String: Int?]

        /// What is given up within so many seconds, and after how many.
        mutating func run(_ workers: Int, seconds: Int) -> [String: Int] {
            let settings = SuspectSettings()
            struct Running {
                var name: String, born: Int, end: Int, retrial: Int
                var has: String?
                var taken = 0
                var left: Set<String> = []
            }
            var running: [Running] = []
            var dead: [(Running, at: Int)] = []
            var due = suspects.mapValues { _ in 0 }
            var givenUp: [String: Int] = [:]
            for now in 0..<seconds {
                while running.count < workers {
                    let age = Double(settings.retrialAge.upperBound.components.seconds)
                    var retrial = 1
                    while Double(retrial) < age, Bool.random(using: &generator) { retrial *= 2 }
                    running.append(
                        Running(
                            name: "\(now) \(running.count)",
                            born: now + Int.random(in: 1...5, using: &generator),
                            end: now + Int.random(in: lifetime, using: &generator),
                            retrial: now + retrial
                        )
                    )
                }
                for index in running.indices.reversed() {
                    let one = running[index]
                    let kills = one.has.flatMap { suspects[$0] ?? nil }.map { now >= one.taken + $0 } ?? false
                    if now >= one.end || kills {
                        dead.append((one, now))
                        running.remove(at: index)
                        continue
                    }
                    if one.has != nil, now - one.taken >= Int(settings.patience.components.seconds) {
                        for place in dead.indices where dead[place].0.has == one.has { dead[place].0.has = nil }
                        running[index].left.insert(one.has ?? "")
                        running[index].has = nil
                    }
                    guard running[index].has == nil, now >= one.born else { continue }
                    let list =
                        dead.map { life($0.0, heard: now - $0.at, now) } + running.map { life($0, heard: 0, now) }
                    let lives = Lives(list, own: one.name, settings)
                    let held = Set(running.flatMap { $0.left.union([$0.has ?? ""]) })
                    for suspect in due.keys.sorted().shuffled(using: &generator)
                    where (due[suspect] ?? 0) <= now && !held.contains(suspect) && givenUp[suspect] == nil {
                        switch lives.verdict(on: suspect) {
                        case .givenUp: givenUp[suspect] = now
                        case .again where now < one.retrial, .later: due[suspect] = now + 2
                        case .together, .alone, .again: (running[index].has, running[index].taken) = (suspect, now)
                        }
                        if running[index].has != nil { break }
                    }
                }
            }
            return givenUp

            func life(_ one: Running, heard: Int, _ now: Int) -> Lives.Life {
                Lives.Life(
                    worker: one.name,
                    began: .seconds(max(now - one.born, heard)),
                    heard: .seconds(heard),
                    suspects: one.has.map { [$0] } ?? [],
                    taken: .seconds(one.has == nil ? 0 : now - one.taken)
                )
            }
        }
    }

    /// A lock that all of them need, and workers that die again and again.
    @Test(arguments: UInt64(1)...20, [1...2, 2...8, 5...15, 1...60]) func innocentsAreNotGivenUpInACrashLoop(
        seed: UInt64,
        lifetime: ClosedRange<Int>
    ) {
        var history = History(generator: SeededGenerator(seed: seed), lifetime: lifetime, suspects: ["a": nil, "b": nil, "c": nil])
        #expect(history.run(2, seconds: 600).isEmpty)
    }

    /// Other workers die now and then, too.
    @Test(arguments: UInt64(1)...20, [1...1, 1...4]) func whatKillsIsGivenUp(seed: UInt64, killers: ClosedRange<Int>) {
        let suspects = Dictionary(uniqueKeysWithValues: killers.map { ("k\($0)", Int?.some(0)) })
        var history = History(generator: SeededGenerator(seed: seed), lifetime: 10...120, suspects: suspects)
        #expect(history.run(2, seconds: 600).count == killers.count)
    }
}
