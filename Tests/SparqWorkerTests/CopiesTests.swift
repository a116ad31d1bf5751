import SparqWire
import Synchronization
import Testing

@testable import SparqWorker

/// Which message may begin while a copy of it is here.
@Suite struct CopiesTests {
    private let copies = Copies()

    private static func run(_ envelope: Envelope, isLost: @escaping @Sendable () -> Bool = { false }) -> ConnectionRun {
        ConnectionRun(alone: envelope, batch: InboundBatch(isLost: isLost) { _ in }) { _, _ in }
    }

    @Test func aCopyBeginsWhenTheOtherHasEnded() {
        let message = envelope()
        let copy = envelope(connection: "c2", ordinal: 7)
        let (first, second) = (Self.run(message), Self.run(copy))
        #expect(copies.isQuiet)
        #expect(copies.begin(message, in: first, isFirst: true) == .free)
        #expect(!copies.isQuiet)
        #expect(copies.begin(copy, in: second, isFirst: true) == .running)
        // Whoever did not begin ends nothing.
        copies.end(copy, in: second)
        #expect(copies.begin(copy, in: second, isFirst: true) == .running)
        copies.end(message, in: first)
        #expect(copies.isQuiet)
        #expect(copies.begin(copy, in: second, isFirst: true) == .free)
        copies.end(copy, in: second)
        #expect(copies.isQuiet)
    }

    @Test func othersAreNoCopies() {
        let run = Self.run(envelope())
        copies.add(envelope(), in: run)
        for other in [envelope(id: "m2"), envelope(user: "bob"), envelope(user: nil), envelope(id: nil)] {
            #expect(copies.begin(other, in: Self.run(other), isFirst: true) == .free)
        }
    }

    /// The broker delivers it again: whoever holds it here cannot settle it any more.
    @Test func whatIsLostIsNobodysCopy() {
        let isLost = Mutex(false)
        let lost = Self.run(envelope()) { isLost.withLock { $0 } }
        copies.add(envelope(), in: lost)
        let again = Self.run(envelope())
        #expect(copies.begin(envelope(), in: again, isFirst: true) == .running)
        isLost.withLock { $0 = true }
        #expect(copies.begin(envelope(), in: again, isFirst: true) == .free)
        // Its late end is not the other's.
        copies.end(envelope(), in: lost)
        #expect(copies.begin(envelope(), in: Self.run(envelope()), isFirst: true) == .running)
    }

    @Test func noCopyBeginsBesideAHandlerThatWasLeft() {
        copies.strayed(envelope())
        #expect(copies.begin(envelope(), in: Self.run(envelope()), isFirst: true) == .stray)
        #expect(copies.begin(envelope(), in: Self.run(envelope()), isFirst: false) == .stray)
        copies.returned(envelope())
        #expect(copies.isQuiet)
    }

    @Test func newCopiesWaitForAnOperatorAsTheFirstDoes() {
        let now = ContinuousClock.now
        copies.waits(envelope(), until: now + .seconds(5))
        let run = Self.run(envelope())
        #expect(copies.begin(envelope(), in: run, isFirst: true, now: now) == .waiting)
        #expect(copies.begin(envelope(), in: run, isFirst: false, now: now) == .free)
        copies.end(envelope(), in: run)
        copies.tidy(now: now + .seconds(4))
        #expect(!copies.isQuiet)
        copies.tidy(now: now + .seconds(6))
        #expect(copies.isQuiet)
    }
}
