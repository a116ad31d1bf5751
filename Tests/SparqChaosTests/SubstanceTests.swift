import Testing

@testable import sparq_chaos

/// Zeros of a run in which nothing happened mean nothing.
@Suite struct SubstanceTests {
    private let substance = Substance(rate: 10, duration: .seconds(10), planned: 3)

    private func journal(accepted: Int, seen: Int) -> ClientJournal {
        var journal = ClientJournal(client: "ann")
        journal.sent = (0..<100).map { SentMessage(token: "\($0)", topics: [], lane: 0, outcome: $0 < accepted ? .accepted : .abandoned) }
        journal.seen["room:a"] = (0..<seen).map { SeenEvent(seq: $0 + 1, token: nil) }
        return journal
    }

    @Test func aRunWithLoadAndFaultsHasSubstance() {
        #expect(substance.failures([journal(accepted: 60, seen: 100)], done: 2, skipped: 1).isEmpty)
    }

    @Test func tooFewMessagesOrEventsAreAFailure() {
        #expect(substance.failures([journal(accepted: 20, seen: 100)], done: 3, skipped: 0).count == 1)
        #expect(substance.failures([journal(accepted: 60, seen: 20)], done: 3, skipped: 0).count == 1)
    }

    @Test func aRunWithoutFaultsIsAFailure() {
        #expect(substance.failures([journal(accepted: 60, seen: 100)], done: 0, skipped: 3).count == 1)
        #expect(substance.failures([journal(accepted: 60, seen: 100)], done: 1, skipped: 1).count == 1)
    }

    @Test func aReportWithFailuresIsNotClean() {
        var report = Report(title: "", verdict: Verdict())
        report.skipped = ["kill-front 1: every front is down"]
        #expect(report.isClean && report.text.contains("skipped: kill-front 1"))
        report.failures = substance.failures([], done: 0, skipped: 0)
        #expect(!report.isClean)
    }
}
