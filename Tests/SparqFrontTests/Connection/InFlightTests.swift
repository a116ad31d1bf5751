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
        machine.expire(now: 10) { _ in }
        #expect(machine.fail(1) == (nil, false) || machine.isEmpty == false)
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
        for _ in 0..<2000 {
            now += Int.random(in: 0...3, using: &generator)
            switch Int.random(in: 0..<11, using: &generator) {
            case 0..<4:
                received += 1
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
                    ? onTheirWay.union(postponed).randomElement(using: &generator) ?? 0 : Int.random(in: 0...50, using: &generator)
                let finish = machine.finish(ordinal)
                if onTheirWay.remove(ordinal) != nil {
                    #expect(finish != .unknown)
                } else {
                    // A postponed one has its answer, or has been told that there is none.
                    let isOwed = postponed.remove(ordinal) != nil && messageOf[ordinal].map { answers[$0] == nil } == true
                    #expect(finish == (isOwed ? .answer : .unknown))
                }
                if finish == .answer, let message = messageOf[ordinal] { answers[message, default: 0] += 1 }
            case 9:
                guard let ordinal = onTheirWay.randomElement(using: &generator) else { continue }
                machine.postpone(ordinal)
                onTheirWay.remove(ordinal)
                postponed.insert(ordinal)
            default:
                machine.expire(now: now) { id in answers[Int(id ?? "") ?? 0, default: 0] += 1 }
            }
            #expect(machine.unanswered == received - answers.count)
            #expect(machine.waitingBytes == 3 * machine.waiting)
            #expect(machine.canSend == (onTheirWay.isEmpty && machine.waiting > 0))
        }
        machine.expire(now: now + 100) { id in answers[Int(id ?? "") ?? 0, default: 0] += 1 }
        #expect(sentOrder == sentOrder.sorted())
        #expect(answers.count == received && answers.values.allSatisfy { $0 == 1 })
        #expect(machine.unanswered == 0)
    }
}
