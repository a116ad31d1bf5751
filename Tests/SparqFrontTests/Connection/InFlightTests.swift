import Testing

@testable import SparqFrontCore

extension InFlight {
    /// Whether anything would be given up.
    fileprivate func isStuck(now: Int, patience: Int) -> Bool {
        var copy = self
        return !copy.giveUp(now: now, patience: patience) { _ in }.isEmpty
    }
}

extension Outgoing: ExpressibleByStringLiteral {
    package init(stringLiteral text: String) { self.init(type: text, receivedAt: 0, message: []) }

    fileprivate init(_ number: Int) { self.init(type: String(number), receivedAt: 0, message: []) }
    fileprivate var number: Int { Int(type) ?? 0 }
}

@Suite struct InFlightTests {
    @Test func oneBatchAtATime() {
        var machine = InFlight()
        var sent: [String] = []
        machine.receive("a", bytes: 1, id: nil, deadline: 10)
        machine.send { message, _, ordinal, _ in sent.append("\(message.type)\(ordinal)") }
        machine.receive("b", bytes: 1, id: nil, deadline: 10)
        machine.receive("c", bytes: 1, id: "x", deadline: 10)
        #expect(!machine.canSend)
        machine.send { message, _, ordinal, _ in sent.append("\(message.type)\(ordinal)") }
        #expect(sent == ["a1"])
        #expect(machine.finish(1) == .answer)
        #expect(machine.canSend)
        machine.send { message, _, ordinal, _ in sent.append("\(message.type)\(ordinal)") }
        #expect(sent == ["a1", "b2", "c3"])
        #expect(machine.finish(1) == .unknown)
        #expect(machine.finish(3) == .answer)
        #expect(machine.finish(3) == .unknown)
        #expect(!machine.isEmpty)
        #expect(machine.finish(2) == .answer)
        #expect(machine.isEmpty && machine.unanswered == 0)
    }

    @Test func deadlineAnswersOnceAndKeepsTheOrder() {
        var machine = InFlight()
        var expired: [String?] = []
        machine.receive("a", bytes: 1, id: "a", deadline: 10)
        machine.send { _, _, _, _ in }
        machine.receive("b", bytes: 5, id: "b", deadline: 12)
        machine.receive("c", bytes: 7, id: "c", deadline: 20)
        machine.expire(now: 12) { expired.append($0) }
        machine.expire(now: 13) { expired.append($0) }
        #expect(expired == ["a", "b"])
        #expect(machine.unanswered == 1 && machine.waitingBytes == 7)
        // The late one still holds up the next.
        #expect(!machine.canSend)
        #expect(!machine.isStuck(now: 12, patience: 5))
        #expect(machine.isStuck(now: 15, patience: 5))
        #expect(machine.finish(1) == .late)
        var sent: [Int] = []
        machine.send { message, _, ordinal, _ in
            #expect(message.type == "c")
            sent.append(ordinal)
        }
        #expect(sent == [2])
    }

    @Test func undeliveredIsToldOnce() {
        var machine = InFlight()
        machine.receive("a", bytes: 1, id: "a", deadline: 10)
        machine.receive("b", bytes: 1, id: "b", deadline: 30)
        machine.send { _, _, _, _ in }
        var expired: [String?] = []
        machine.expire(now: 10) { expired.append($0) }
        #expect(expired == ["a"])
        // Told already.
        let first = machine.fail(1)
        #expect(first.id == "a" && !first.tell)
        #expect(machine.fail(1) == (nil, false))
        #expect(!machine.isEmpty && machine.unanswered == 1)
        let second = machine.fail(2)
        #expect(second.id == "b" && second.tell)
        #expect(machine.fail(2) == (nil, false))
        #expect(machine.isEmpty)
    }

    @Test func aPostponedMessageGivesUpItsPlaceAndKeepsItsAnswer() {
        var machine = InFlight()
        machine.receive("a", bytes: 1, id: "a", deadline: 10)
        machine.receive("b", bytes: 1, id: "b", deadline: 10)
        machine.send { _, _, _, _ in }
        machine.receive("c", bytes: 1, id: "c", deadline: 20)
        machine.postpone(1)
        machine.postpone(1)
        #expect(!machine.canSend && machine.unanswered == 3)
        #expect(machine.finish(2) == .answer)
        var sent: [Int] = []
        machine.send { _, _, ordinal, _ in sent.append(ordinal) }
        #expect(sent == [3])
        #expect(machine.finish(3) == .answer)
        // Nothing is on its way, but an answer is still owed.
        #expect(!machine.isEmpty && machine.unanswered == 1)
        #expect(machine.finish(1) == .answer)
        #expect(machine.finish(1) == .unknown)
        machine.postpone(1)
        #expect(machine.isEmpty && machine.unanswered == 0)
    }

    @Test func aPostponedMessageIsUnavailableWhenItsDeadlineIsOver() {
        var machine = InFlight()
        var expired: [String?] = []
        machine.receive("a", bytes: 1, id: "a", deadline: 10)
        machine.receive("b", bytes: 1, id: "b", deadline: 12)
        machine.send { _, _, _, _ in }
        machine.postpone(1)
        machine.expire(now: 10) { expired.append($0) }
        machine.expire(now: 11) { expired.append($0) }
        #expect(expired == ["a"])
        #expect(machine.finish(1) == .unknown)
        // One that is late already is owed nothing more.
        machine.expire(now: 12) { expired.append($0) }
        machine.postpone(2)
        #expect(expired == ["a", "b"] && machine.isEmpty && machine.unanswered == 0)
        #expect(!machine.isStuck(now: 1000, patience: 1))
    }

    @Test func whatLeftIsRemembered() {
        var machine = InFlight()
        machine.receive("a", bytes: 1, id: nil, deadline: 10)
        #expect(!machine.hasSent)
        machine.expire(now: 10) { _ in }
        #expect(!machine.hasSent && machine.isEmpty)
        machine.receive("b", bytes: 1, id: nil, deadline: 20)
        machine.send { _, _, ordinal, _ in #expect(ordinal == 1) }
        #expect(machine.hasSent)
        #expect(machine.finish(1) == .answer)
        #expect(machine.hasSent && machine.isEmpty)
    }

    @Test func whatIsInDoubtIsStuckAtItsDeadline() {
        var machine = InFlight()
        machine.doubt()
        machine.receive("a", bytes: 1, id: "a", deadline: 10)
        machine.receive("b", bytes: 1, id: "b", deadline: 10)
        machine.send { _, _, _, _ in }
        machine.receive("c", bytes: 1, id: "c", deadline: 20)
        #expect(!machine.isStuck(now: 10, patience: 5))
        machine.doubt()
        #expect(!machine.isStuck(now: 9, patience: 5) && machine.isStuck(now: 10, patience: 5))
        #expect(machine.finish(1) == .answer)
        #expect(machine.isStuck(now: 10, patience: 5))
        #expect(machine.finish(2) == .answer)
        // What is sent later is not in doubt.
        machine.send { _, _, _, _ in }
        #expect(!machine.isStuck(now: 20, patience: 5) && machine.isStuck(now: 25, patience: 5))
    }

    /// A random life of a connection: each message is sent once, in order, never beside an earlier unfinished one, and answered once.
    @Test(arguments: 0..<60)
    func randomLives(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var machine = InFlight()
        var now = 0
        var received = 0
        var sentOrder: [Int] = []
        var messageOf: [Int: Int] = [:]
        var onTheirWay: Set<Int> = []
        var postponed: Set<Int> = []
        var answers: [Int: Int] = [:]
        var deadlines: [Int: Int] = [:]
        var forgotten: Set<Int> = []
        for _ in 0..<2000 {
            now += Int.random(in: 0...3, using: &generator)
            switch Int.random(in: 0..<13, using: &generator) {
            case 0..<4:
                received += 1
                deadlines[received] = now + 10
                machine.receive(Outgoing(received), bytes: 3, id: "\(received)", deadline: now + 10)
            case 4..<6:
                let before = onTheirWay
                machine.send { message, id, ordinal, _ in
                    let message = message.number
                    #expect(before.isEmpty && id == "\(message)")
                    sentOrder.append(message)
                    #expect(messageOf[ordinal] == nil)
                    messageOf[ordinal] = message
                    onTheirWay.insert(ordinal)
                }
            case 6..<9:
                // Now and then one that was finished before, or never sent.
                let ordinal =
                    generator.chance(80)
                    ? onTheirWay.union(postponed).sorted().randomElement(using: &generator) ?? 0 : Int.random(in: 0...50, using: &generator)
                let finish: InFlight.Finish
                if generator.chance(30) {
                    let (id, tell) = machine.fail(ordinal)
                    // The id is that of the message, and the client is told where it has no answer yet.
                    if let id { #expect(Int(id) == messageOf[ordinal]) }
                    finish = tell ? .answer : id == nil ? .unknown : .late
                } else {
                    finish = machine.finish(ordinal)
                }
                if onTheirWay.remove(ordinal) != nil {
                    #expect(finish != .unknown)
                } else {
                    // A postponed one has its answer, or has been told that there is none.
                    let isOwed = postponed.remove(ordinal) != nil && messageOf[ordinal].map { answers[$0] == nil } == true
                    #expect(finish == (isOwed ? .answer : .unknown))
                }
                if finish == .answer, let message = messageOf[ordinal] { answers[message, default: 0] += 1 }
            case 9:
                guard let ordinal = onTheirWay.sorted().randomElement(using: &generator) else { continue }
                machine.postpone(ordinal)
                onTheirWay.remove(ordinal)
                postponed.insert(ordinal)
            case 10 where generator.chance(20):
                machine.forgetPostponed()
                for ordinal in postponed { if let message = messageOf[ordinal], answers[message] == nil { forgotten.insert(message) } }
                postponed = []
            case 11 where generator.chance(20): machine.doubt()
            default:
                machine.expire(now: now) { id in answers[Int(id ?? "") ?? 0, default: 0] += 1 }
            }
            let oldest = onTheirWay.min().flatMap { messageOf[$0] }.flatMap { deadlines[$0] }
            #expect(machine.isStuck(now: now, patience: 7) == false || oldest.map { $0 <= now } == true)
            if let oldest, oldest + 7 <= now { #expect(machine.isStuck(now: now, patience: 7)) }
            #expect(machine.unanswered == received - answers.count - forgotten.count)
            #expect(machine.waitingBytes == 3 * machine.waiting)
            #expect(machine.canSend == (onTheirWay.isEmpty && machine.waiting > 0))
        }
        machine.expire(now: now + 100) { id in answers[Int(id ?? "") ?? 0, default: 0] += 1 }
        #expect(sentOrder == sentOrder.sorted())
        #expect(answers.count + forgotten.count == received && answers.values.allSatisfy { $0 == 1 })
        #expect(forgotten.isDisjoint(with: answers.keys))
        #expect(machine.unanswered == 0)
    }

    /// A random life with several lanes: in each, messages leave in order and never beside an earlier unfinished one, whatever the others do; the first
    /// of all is alone, the last behind all; each is answered once, and ordinals are never used twice.
    @Test(arguments: 0..<40)
    func randomLivesOfSeveralLanes(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var machine = InFlight()
        let stillLane = 3
        var (now, received) = (0, 0)
        var laneOf: [Int: Int] = [:]
        var messageOf: [Int: Int] = [:]
        var onTheirWay: Set<Int> = []
        var sent: [Int: [Int]] = [:]
        var answers: [Int: Int] = [:]
        func receive(_ lane: Int, _ place: InFlight.Place = .ordinary) {
            received += 1
            laneOf[received] = lane
            machine.receive(
                Outgoing(received),
                lane: lane,
                place: place,
                bytes: 3,
                id: "\(received)",
                deadline: place == .last ? .max : now + 10
            )
        }
        func send() {
            let before = onTheirWay.compactMap { messageOf[$0] }
            machine.send { message, _, ordinal, _ in
                let message = message.number
                #expect(!before.contains { laneOf[$0] == laneOf[message] }, "one batch of a lane")
                #expect(!before.contains(1), "nothing beside the first")
                #expect(messageOf.updateValue(message, forKey: ordinal) == nil)
                sent[laneOf[message] ?? -1, default: []].append(message)
                onTheirWay.insert(ordinal)
            }
        }
        receive(0, .first)
        for _ in 0..<1000 {
            now += Int.random(in: 0...2, using: &generator)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<4: receive(Int.random(in: 0...stillLane, using: &generator))
            case 4..<6: send()
            case 6..<9:
                // Of one lane nothing is ever finished.
                let others = onTheirWay.filter { messageOf[$0].flatMap { laneOf[$0] } != stillLane }
                guard let ordinal = others.sorted().randomElement(using: &generator) else { continue }
                onTheirWay.remove(ordinal)
                if machine.finish(ordinal) == .answer, let message = messageOf[ordinal] { answers[message, default: 0] += 1 }
            default: machine.expire(now: now) { id in answers[id.flatMap { Int($0) } ?? 0, default: 0] += 1 }
            }
            #expect(machine.unanswered == received - answers.count && machine.waitingBytes == 3 * machine.waiting)
        }
        #expect((0..<stillLane).allSatisfy { (sent[$0]?.count ?? 0) > 20 } && sent[stillLane]?.isEmpty == false)
        #expect(sent.values.allSatisfy { $0 == $0.sorted() })
        // The end waits for the lane that stands still, until that is given up.
        receive(1, .last)
        for _ in 0..<3 {
            send()
            for ordinal in onTheirWay where messageOf[ordinal].flatMap({ laneOf[$0] }) != stillLane {
                onTheirWay.remove(ordinal)
                if machine.finish(ordinal) == .answer, let message = messageOf[ordinal] { answers[message, default: 0] += 1 }
            }
        }
        #expect(sent[1]?.last != received)
        now += 100
        machine.expire(now: now) { id in answers[id.flatMap { Int($0) } ?? 0, default: 0] += 1 }
        let given = machine.giveUp(now: now, patience: 5) { _ in #expect(Bool(false), "all were answered") }
        #expect(given.map(\.lane) == [stillLane] && given.first?.ordinals.contains { onTheirWay.contains($0) } == true)
        onTheirWay = []
        send()
        #expect(sent[1]?.last == received && onTheirWay.count == 1)
        #expect(answers.values.allSatisfy { $0 == 1 } && answers.count == received - 1)
    }

    @Test func aFullLaneHoldsBackForTwoLooksAndIsThenRefusedByItself() {
        let limits = InFlight.Limits(messages: 4, bytes: 100, isAlone: false)
        var machine = InFlight()
        func receive(_ lane: Int) {
            machine.receive("a", lane: lane, bytes: 1, id: nil, deadline: 100)
            machine.weigh(limits, crowded: [])
        }
        func finish(_ ordinal: Int) {
            #expect(machine.finish(ordinal) == .answer)
            machine.weigh(limits, crowded: [])
        }
        for _ in 0..<4 { receive(1) }
        receive(0)
        machine.send { _, _, _, _ in }
        machine.look()
        #expect(machine.holdsBack(limits, crowded: []) && !machine.refuses(1, limits, crowded: []))
        // It moves, and is full again: the budget is that of before.
        finish(1)
        #expect(machine.holdsBack(limits, crowded: []), "until it is at half")
        receive(1)
        machine.look()
        #expect(machine.refuses(1, limits, crowded: []) && !machine.holdsBack(limits, crowded: []))
        #expect(!machine.refuses(0, limits, crowded: []) && !machine.refuses(2, limits, crowded: []))
        finish(2)
        #expect(!machine.refuses(1, limits, crowded: []), "it has room")
        receive(1)
        #expect(machine.refuses(1, limits, crowded: []))
        // At half of it all begins anew.
        for ordinal in 3...4 { finish(ordinal) }
        for _ in 0..<2 {
            #expect(!machine.holdsBack(limits, crowded: []) && !machine.refuses(1, limits, crowded: []))
            receive(1)
        }
        #expect(machine.holdsBack(limits, crowded: []) && !machine.refuses(1, limits, crowded: []))
        var alone = limits
        alone.isAlone = true
        for _ in 0..<5 { machine.look() }
        #expect(machine.holdsBack(alone, crowded: []))
    }

    @Test func whereTooMuchOfALaneWaitsElsewhereOneMessageIsEnough() {
        let limits = InFlight.Limits(messages: 4, bytes: 100, isAlone: false)
        var machine = InFlight()
        machine.receive("d", lane: 4, bytes: 1, id: nil, deadline: 100)
        machine.weigh(limits, crowded: [5])
        #expect(!machine.holdsBack(limits, crowded: [5]))
        machine.weigh(limits, crowded: [4])
        #expect(machine.holdsBack(limits, crowded: [4]))
        for _ in 0..<2 { machine.look() }
        #expect(!machine.holdsBack(limits, crowded: [4]) && machine.refuses(4, limits, crowded: [4]))
        machine.weigh(limits, crowded: [])
        #expect(!machine.refuses(4, limits, crowded: []))
    }
}
