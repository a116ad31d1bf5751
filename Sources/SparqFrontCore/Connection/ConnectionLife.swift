/// The life of a client's connection: from the `$connect` on its way to the end of all that it sent. A value without I/O.
///
/// Its stages follow each other in the order of ``Stage``; any of them may be skipped.
package struct ConnectionLife: Sendable {
    package enum Stage: Int, Comparable, Sendable {
        /// `$connect` is on its way. What comes for the client is kept: its first frame is the welcome.
        case connecting
        /// Welcomed.
        case open
        /// Told to reconnect, and closed soon.
        case leaving
        /// As before, and not read any more: it is closed when what is on its way is finished.
        case draining
        /// Over its outbound limit: nothing is written any more, and it is closed with the end of the turn.
        case slow
        /// The socket is gone or closing. What is on its way goes on, and `$disconnect` follows it.
        case closed
        /// Nothing is left of it.
        case removed

        package static func < (one: Stage, other: Stage) -> Bool { one.rawValue < other.rawValue }
    }

    private enum State: Sendable {
        /// With the bytes that are kept.
        case connecting(kept: Int)
        case open, leaving, draining, slow
        case closed(farewellAt: Int)
        case removed
    }

    /// What becomes of a frame for the client.
    package enum Writing: Equatable {
        /// To the socket.
        case now
        /// It is kept until the welcome.
        case kept
        /// Nowhere any more.
        case never
        /// More than may be kept.
        case tooMuch
    }

    /// What the socket is told.
    package enum Reading: Equatable {
        case pause
        case resume
    }

    /// Whether the client is read.
    private enum Hearing: Sendable {
        case reads
        /// It runs ahead of the workers, or is not welcomed yet, or is about to be closed.
        case held
        /// It sent more than it may, until it may send again.
        case rests
    }

    private var state = State.connecting(kept: 0)
    private var hearing = Hearing.reads

    package init() {}

    package var stage: Stage {
        switch state {
        case .connecting: .connecting
        case .open: .open
        case .leaving: .leaving
        case .draining: .draining
        case .slow: .slow
        case .closed: .closed
        case .removed: .removed
        }
    }

    /// It has a socket that is not closing.
    package var isPresent: Bool { stage < .closed }
    /// What the client sends is taken.
    package var hears: Bool { stage <= .leaving }
    /// It is not read until it may send again.
    package var isResting: Bool { hearing == .rests }
    /// When its `$disconnect` waits no longer for what is before it; `nil` while it is there, and when nothing is left.
    package var farewellAt: Int? { if case .closed(let farewellAt) = state { farewellAt } else { nil } }

    // MARK: Stages

    /// The workers let it in: what was kept for it follows the welcome. False where it is not waiting for that any more.
    package mutating func welcome() -> Bool {
        guard stage == .connecting else { return false }
        state = .open
        return true
    }

    /// It was told to reconnect. False where it is not there to be told.
    package mutating func sendAway() -> Bool {
        guard stage == .open else { return false }
        state = .leaving
        return true
    }

    /// It is not read any more.
    package mutating func drain() { if stage == .open || stage == .leaving { state = .draining } }

    /// It cannot keep up. False where that makes no difference any more.
    package mutating func slow() -> Bool {
        guard stage < .slow else { return false }
        state = .slow
        return true
    }

    /// Its socket is gone, or is told to close. False where it was before.
    package mutating func close(farewellAt: Int) -> Bool {
        guard isPresent else { return false }
        state = .closed(farewellAt: farewellAt)
        return true
    }

    /// All of it is through. False where it was before.
    package mutating func remove() -> Bool {
        guard stage != .removed else { return false }
        state = .removed
        return true
    }

    // MARK: Frames

    /// What becomes of a frame of so many bytes.
    ///
    /// - Parameter limit: The most bytes that are kept before the welcome.
    package mutating func write(bytes: Int, limit: Int) -> Writing {
        switch state {
        case .connecting(let kept):
            guard kept + bytes <= limit else { return .tooMuch }
            state = .connecting(kept: kept + bytes)
            return .kept
        case .open, .leaving, .draining: return .now
        case .slow, .closed, .removed: return .never
        }
    }

    // MARK: Reading

    /// It sent too much. What its socket is told; `nil` where it rests already.
    package mutating func rest() -> Reading? {
        defer { hearing = .rests }
        return hearing == .reads ? .pause : nil
    }

    /// It may send again.
    package mutating func wake() { if hearing == .rests { hearing = .held } }

    /// Whether it runs ahead of the workers has been looked at. What its socket is told, if that changes.
    package mutating func read(isAhead: Bool) -> Reading? {
        // Until the welcome what the client sends waits in the socket.
        let mayRead = !isAhead && (stage == .open || stage == .leaving)
        switch (hearing, mayRead) {
        case (.rests, _), (.reads, true), (.held, false): return nil
        case (.reads, false):
            hearing = .held
            return .pause
        case (.held, true):
            hearing = .reads
            return .resume
        }
    }
}
