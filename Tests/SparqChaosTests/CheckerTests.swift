import Testing

@testable import sparq_chaos

/// A small run without faults, and each fault put into it by hand: the checker must count that one and no other.
@Suite struct CheckerTests {
    static let room = "room:a"

    /// Ann says five things, and Bob listens; both subscribed when the room's log stood at 2.
    static func soundRun() -> (journals: [ClientJournal], database: DatabaseContents) {
        var ann = ClientJournal(client: "ann")
        var bob = ClientJournal(client: "bob")
        var database = DatabaseContents()
        database.log[room] = [SeenEvent(seq: 1, token: nil), SeenEvent(seq: 2, token: nil)]
        for number in 1...5 {
            let token = "ann/\(number)"
            ann.sent.append(SentMessage(token: token, topics: [room], lane: 0, outcome: .accepted))
            database.log[room]?.append(SeenEvent(seq: number + 2, token: token))
        }
        database.heads[room] = 7
        for seq in 3...7 {
            ann.seen[room, default: []].append(SeenEvent(seq: seq, token: "ann/\(seq - 2)"))
        }
        bob.seen = ann.seen
        ann.subscribedAt[room] = 2
        bob.subscribedAt[room] = 2
        return ([ann, bob], database)
    }

    private func faults(_ change: (inout [ClientJournal], inout DatabaseContents) -> Void) -> [Verdict.Fault: Int] {
        var (journals, database) = Self.soundRun()
        change(&journals, &database)
        return Checker.check(journals, against: database).faults
    }

    @Test func aSoundRunIsClean() {
        let (journals, database) = Self.soundRun()
        let verdict = Checker.check(journals, against: database)
        #expect(verdict.isClean, "\(verdict.examples)")
        #expect(verdict.sent == 5 && verdict.accepted == 5 && verdict.deliveries == 10 && verdict.subscriptions == 2)
    }

    @Test func aSecondEffectIsFoundUnderItsOtherNumber() {
        let found = faults { journals, database in
            database.log[Self.room]?.append(SeenEvent(seq: 8, token: "ann/3"))
            database.heads[Self.room] = 8
            for index in journals.indices { journals[index].seen[Self.room]?.append(SeenEvent(seq: 8, token: "ann/3")) }
        }
        #expect(found == [.duplicateEffect: 1])
    }

    @Test func anEffectInAnotherTopicIsFound() {
        let found = faults { _, database in
            database.log["room:b"] = [SeenEvent(seq: 1, token: "ann/1")]
            database.heads["room:b"] = 1
        }
        #expect(found == [.duplicateEffect: 1])
    }

    @Test func anAnsweredMessageWithoutEffectIsLost() {
        let found = faults { journals, _ in
            journals[0].sent.append(SentMessage(token: "ann/6", topics: [Self.room], lane: 0, outcome: .accepted))
        }
        #expect(found == [.lostMessage: 1])
    }

    @Test func halfAMessageIsFound() {
        let found = faults { journals, _ in journals[0].sent[2].topics.append("user:bob") }
        #expect(found == [.tornMessage: 1])
    }

    @Test func aMessageWithoutAnAnswerIsFound() {
        #expect(faults { journals, _ in journals[0].sent[4].outcome = .unanswered } == [.unanswered: 1])
    }

    @Test func aRefusedMessageIsFoundAndItsEffectToo() {
        let found = faults { journals, _ in journals[0].sent[4].outcome = .refused("internal") }
        #expect(found == [.refused: 1, .refusedWithEffect: 1])
    }

    @Test func anAbandonedMessageMayOrMayNotTakeEffect() {
        let found = faults { journals, _ in
            journals[0].sent[4].outcome = .abandoned
            journals[0].sent.append(SentMessage(token: "ann/6", topics: [Self.room], lane: 0, outcome: .abandoned))
        }
        #expect(found == [:])
    }

    @Test func messagesOfALaneKeepTheirOrder() {
        let swapped = faults { journals, _ in journals[0].sent.swapAt(0, 1) }
        #expect(swapped == [.senderOrder: 1])
        let inTwoLanes = faults { journals, _ in
            journals[0].sent[0] = SentMessage(token: "ann/1", topics: [Self.room], lane: 1, outcome: .accepted)
            journals[0].sent.swapAt(0, 1)
        }
        #expect(inTwoLanes == [:])
    }

    @Test func aHoleInTheLogIsFound() {
        let found = faults { journals, database in
            database.log[Self.room]?.removeFirst()
            database.log[Self.room]?.removeFirst()
            database.heads[Self.room] = 7
        }
        #expect(found == [.logGap: 2])
    }

    @Test func anEventThatComesTwiceIsFound() {
        #expect(faults { journals, _ in journals[1].seen[Self.room]?.append(SeenEvent(seq: 7, token: "ann/5")) } == [.duplicateDelivery: 1])
        #expect(faults { journals, _ in journals[1].repeated = 2 } == [.duplicateDelivery: 2])
    }

    @Test func whoTakesATopicBackAtOnceGetsTheOldSubscriptionsEndTwice() {
        #expect(
            faults { journals, _ in
                journals[1].isHasty = true
                journals[1].repeated = 2
            } == [:]
        )
        // Behind the library nothing may come twice to them either.
        let found = faults { journals, _ in
            journals[1].isHasty = true
            journals[1].seen[Self.room]?.append(SeenEvent(seq: 7, token: "ann/5"))
        }
        #expect(found == [.duplicateDelivery: 1])
    }

    @Test func anInversionIsFound() {
        #expect(faults { journals, _ in journals[1].seen[Self.room]?.swapAt(1, 2) } == [.inversion: 1])
    }

    @Test func aGapIsFoundInTheMiddleAndAtTheBeginning() {
        #expect(faults { journals, _ in _ = journals[1].seen[Self.room]?.remove(at: 2) } == [.gap: 1])
        #expect(faults { journals, _ in _ = journals[1].seen[Self.room]?.removeFirst() } == [.gap: 1])
    }

    @Test func whatNeverCameIsLost() {
        #expect(faults { journals, _ in _ = journals[1].seen[Self.room]?.removeLast(2) } == [.lostDelivery: 2])
        #expect(faults { journals, _ in journals[1].seen = [:] } == [.lostDelivery: 5])
    }

    @Test func anEventUnlikeTheLogIsFound() {
        #expect(faults { journals, _ in journals[1].seen[Self.room]?[0] = SeenEvent(seq: 3, token: "ann/9") } == [.wrongContent: 1])
    }

    @Test func whatComesBeforeTheSubscriptionsAnswerCountsToo() {
        let found = faults { journals, _ in journals[1].subscribedAt[Self.room] = 4 }
        #expect(found == [:])
        let withHole = faults { journals, _ in
            journals[1].subscribedAt[Self.room] = 4
            journals[1].seen[Self.room]?.remove(at: 1)
        }
        #expect(withHole == [.gap: 1])
    }

    @Test func anInversionThatTheLibraryDroppedIsFound() {
        #expect(faults { journals, _ in journals[1].inverted = 1 } == [.inversion: 1])
    }

    @Test func anEventThatNobodyAskedForIsFound() {
        #expect(faults { journals, _ in journals[1].uninvited = ["room:b 3"] } == [.uninvited: 1])
    }

    @Test func repliesThatNobodyWaitsForAreFound() {
        #expect(faults { journals, _ in journals[1].strayReplies = 2 } == [.strayReply: 2])
    }

    @Test func aRepeatWithAnotherReplyIsFound() {
        #expect(faults { journals, _ in journals[0].otherReplies = ["ann/1: …"] } == [.otherReply: 1])
    }

    @Test func anOrderlyRestartSparesClientsAllButTheReconnect() {
        var (journals, database) = Self.soundRun()
        journals[0].passing = 3
        journals[1].unannounced = 2
        journals[1].brokenRequests = ["503"]
        journals[0].sent.append(SentMessage(token: "ann/6", topics: [Self.room], lane: 0, outcome: .abandoned))
        database.heads[Self.room] = 7
        let disorderly = Checker.check(journals, against: database)
        #expect(disorderly.isClean && disorderly.passing == 3 && disorderly.unannounced == 2 && disorderly.brokenRequests == 1)
        let orderly = Checker.check(journals, against: database, isOrderly: true)
        #expect(orderly.faults == [.passing: 3, .unannounced: 2, .brokenRequest: 1, .abandoned: 1])
    }

    @Test func whatClientsComplainAboutIsFound() {
        #expect(faults { journals, _ in journals[1].errors = ["room:a truncated from 1 to 5"] } == [.clientError: 1])
    }
}
