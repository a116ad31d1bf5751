import SparqFrontCore
import Testing

/// The stages of a connection, whatever comes in whatever order.
@Suite struct ConnectionLifeTests {
    /// What a step says, and then the stage.
    private func expect<Answer: Equatable>(_ answer: Answer, _ expected: Answer, _ location: SourceLocation = #_sourceLocation) {
        #expect(answer == expected, sourceLocation: location)
    }

    @Test func theWelcomeIsItsFirstFrame() {
        var life = ConnectionLife()
        #expect(life.stage == .connecting && life.hears)
        expect(life.write(bytes: 60, limit: 100), .kept)
        expect(life.write(bytes: 41, limit: 100), .tooMuch)
        expect(life.write(bytes: 40, limit: 100), .kept)
        expect(life.welcome(), true)
        expect(life.welcome(), false)
        expect(life.write(bytes: 1000, limit: 100), .now)
    }

    @Test func itIsReadOnlyBetweenTheWelcomeAndTheDrain() {
        var life = ConnectionLife()
        // What the client sends before the welcome waits in the socket.
        expect(life.read(isAhead: false), .pause)
        expect(life.read(isAhead: false), nil)
        _ = life.welcome()
        expect(life.read(isAhead: true), nil)
        expect(life.read(isAhead: false), .resume)
        expect(life.rest(), .pause)
        expect(life.rest(), nil)
        expect(life.read(isAhead: false), nil)
        life.wake()
        expect(life.read(isAhead: false), .resume)
        expect(life.sendAway(), true)
        expect(life.sendAway(), false)
        expect(life.read(isAhead: false), nil)
        #expect(life.hears)
        life.drain()
        expect(life.read(isAhead: false), .pause)
        #expect(!life.hears)
        expect(life.write(bytes: 1, limit: 1), .now)
    }

    @Test func whoIsNotWelcomedIsNotSentAway() {
        var life = ConnectionLife()
        expect(life.sendAway(), false)
        life.drain()
        #expect(life.stage == .connecting)
    }

    @Test func itsEndComesOnce() {
        var life = ConnectionLife()
        #expect(life.farewellAt == nil)
        expect(life.close(farewellAt: 7), true)
        expect(life.close(farewellAt: 9), false)
        #expect(life.farewellAt == 7)
        expect(life.remove(), true)
        expect(life.remove(), false)
        #expect(life.farewellAt == nil)
        expect(life.close(farewellAt: 9), false)
        #expect(life.stage == .removed)
    }

    /// Any inputs in any order: no stage comes before an earlier one, nothing is written before the welcome or beside a close, and the socket is
    /// told to pause and to resume by turns.
    @Test(arguments: 0..<200 as Range<UInt64>) func anyOrderOfInputs(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var life = ConnectionLife()
        var isReading = true
        var kept = 0
        var wasWelcomed = false
        func tell(_ reading: ConnectionLife.Reading?) {
            guard let reading else { return }
            #expect((reading == .resume) != isReading, "told twice")
            isReading = reading == .resume
            if isReading { #expect(life.hears && life.stage != .connecting && !life.isResting) }
        }
        for _ in 0..<60 {
            let before = life.stage
            switch Int.random(in: 0..<12, using: &random) {
            case 0:
                let welcomed = life.welcome()
                #expect(welcomed == (before == .connecting))
                wasWelcomed = wasWelcomed || welcomed
            case 1: expect(life.sendAway(), before == .open)
            case 2: if random.chance(50) { life.drain() }
            case 3: if random.chance(30) { expect(life.slow(), before < .slow) }
            case 4: if random.chance(20) { expect(life.close(farewellAt: 1), before < .closed) }
            case 5: if random.chance(10) { expect(life.remove(), before < .removed) }
            case 6: tell(life.rest())
            case 7: life.wake()
            case 8, 9: tell(life.read(isAhead: random.chance(50)))
            default:
                let bytes = Int.random(in: 0...30, using: &random)
                let writing = life.write(bytes: bytes, limit: 100)
                switch before {
                case .connecting:
                    #expect(writing == (kept + bytes <= 100 ? .kept : .tooMuch))
                    if writing == .kept { kept += bytes }
                case .open, .leaving, .draining: #expect(writing == .now && wasWelcomed)
                case .slow, .closed, .removed: #expect(writing == .never)
                }
            }
            #expect(life.stage >= before)
            #expect(life.isPresent == (life.stage < .closed))
            #expect((life.farewellAt != nil) == (life.stage == .closed))
        }
    }
}
