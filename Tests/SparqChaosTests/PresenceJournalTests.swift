import Testing

@testable import sparq_chaos

@Suite struct PresenceJournalTests {
    @Test func theLaterWordCountsAndNobodyIsTakenForGranted() {
        var journal = PresenceJournal()
        #expect(journal.others(["ann", "bob"], than: true) == ["ann", "bob"])
        #expect(journal.others(["ann", "bob"], than: false) == ["ann", "bob"])
        journal.note(.init(user: "ann", online: true, at: "2026-01-31T12:00:00.000002Z"))
        journal.note(.init(user: "ann", online: false, at: "2026-01-31T12:00:00.000001Z"))
        #expect(journal.others(["ann", "bob"], than: true) == ["bob"])
        journal.note(.init(user: "ann", online: false, at: "2026-01-31T12:00:00.000003Z"))
        #expect(journal.others(["ann"], than: true) == ["ann"])
        #expect(journal.others(["ann"], than: false).isEmpty)
    }
}
