import Testing

@testable import SparqFront

@Suite struct InFlightTests {
    @Test func oneBatchAtATime() {
        var machine = InFlight<String>()
        var sent: [String] = []
        machine.receive("a", bytes: 1, id: nil, deadline: 10)
        machine.send { message, _, ordinal, _ in sent.append("\(message)\(ordinal)") }
        machine.receive("b", bytes: 1, id: nil, deadline: 10)
        machine.receive("c", bytes: 1, id: "x", deadline: 10)
        #expect(!machine.canSend)
        machine.send { message, _, ordinal, _ in sent.append("\(message)\(ordinal)") }
        #expect(sent == ["a1"])
        #expect(machine.finish(1) == .answer)
        #expect(machine.canSend)
        machine.send { message, _, ordinal, _ in sent.append("\(message)\(ordinal)") }
        #expect(sent == ["a1", "b2", "c3"])
        #expect(machine.finish(1) == .unknown)
        #expect(machine.finish(3) == .answer)
        #expect(machine.finish(3) == .unknown)
        #expect(!machine.isEmpty)
        #expect(machine.finish(2) == .answer)
        #expect(machine.isEmpty && machine.unanswered == 0)
    }

    @Test func deadlineAnswersOnceAndKeepsTheOrder() {
        var machine = InFlight<String>()
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
            #expect(message == "c")
            sent.append(ordinal)
        }
        #expect(sent == [2])
    }

    @Test func undeliveredIsToldOnce() {
        var machine = InFlight<String>()
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
        var machine = InFlight<String>()
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
        var machine = InFlight<String>()
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
        var machine = InFlight<String>()
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
        var machine = InFlight<String>()
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
        var machine = InFlight<Int>()
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
                machine.receive(received, bytes: 3, id: "\(received)", deadline: now + 10)
            case 4..<6:
                let before = onTheirWay
                machine.send { message, id, ordinal, _ in
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
                let finish: InFlight<Int>.Finish
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
}
