import Testing

@testable import sparq_chaos

@Suite struct RepliesTests {
    private func difference(_ first: String, _ second: String) -> String? { Replies.difference(Array(first.utf8), Array(second.utf8)) }

    @Test func aRepeatHasTheFirstReplyAndAMark() {
        let first = #"{"re":"a","ok":true,"data":{"room":"x","n":[1,2]}}"#
        #expect(difference(first, #"{"ok":true,"re":"a","repeat":true,"data":{"n":[1,2],"room":"x"}}"#) == nil)
        // Both of them are repeats where the first answer never arrived.
        let repeated = #"{"re":"a","ok":true,"data":{},"repeat":true}"#
        #expect(difference(repeated, repeated) == nil)
    }

    @Test func anotherReplyIsADifference() {
        let first = #"{"re":"a","ok":true,"data":{"room":"x"}}"#
        #expect(difference(first, #"{"re":"a","ok":true,"data":{"room":"y"},"repeat":true}"#) != nil)
        #expect(difference(first, #"{"re":"a","ok":false,"error":{"code":"conflict","message":""}}"#) != nil)
        #expect(difference(first, "") != nil)
    }

    @Test func twoFirstRepliesAreADifference() {
        let first = #"{"re":"a","ok":true,"data":{}}"#
        #expect(difference(first, first) != nil)
    }

    @Test func onlyARefusedConnectionIsNoTrouble() {
        #expect(Poster.isRefusedConnection("POST failed: connect: Connection refused (errno: 111)"))
        #expect(!Poster.isRefusedConnection("POST failed: read: Connection reset by peer (errno: 104)"))
        #expect([408, 429, 502, 503].allSatisfy(Poster.isPassing) && ![200, 409, 500].contains(where: Poster.isPassing))
    }
}
