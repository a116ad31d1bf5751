import SparqAMQP
import SparqWire
import Testing

@testable import SparqWorker

@Suite struct UnpublishedTests {
    private func lines(_ count: Int) -> AMQPMessage {
        AMQPMessage(body: (1...count).flatMap { Array("line \($0)\n".utf8) }, contentType: NDJSON.contentType, persistent: true)
    }

    /// As of a node that is gone: the pieces come back without end, and only they are offered again.
    @Test func whatTheBrokerRefusesIsNeverOfferedAgain() throws {
        var left = Unpublished(lines(4))
        let whole = try #require(left.next)
        left.refused()
        let first = try #require(left.next)
        #expect(first.body == Array("line 1\nline 2\n".utf8) && first.persistent)
        // It comes back: it is the next one still.
        #expect(left.next?.body == first.body && left.next?.body != whole.body)
        left.confirmed()
        #expect(left.next?.body == Array("line 3\nline 4\n".utf8))
        left.refused()
        #expect(left.next?.body == Array("line 3\n".utf8))
        left.confirmed()
        left.confirmed()
        #expect(left.next == nil)
    }

    @Test func whatCannotBeMadeSmallerIsLost() {
        var left = Unpublished(lines(2))
        left.refused()
        left.refused()
        #expect(left.next?.body == Array("line 2\n".utf8))
        left.refused()
        #expect(left.next == nil)
    }
}
