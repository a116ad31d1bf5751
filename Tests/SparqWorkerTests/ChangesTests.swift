import SparqWire
import Testing

@testable import SparqWorker

@Suite struct ChangesTests {
    @Test func whoSendsAgainChangesOnlyTheOwnConnection() {
        let own: [Change] = [
            .endSession, .subscribe("a", from: nil), .unsubscribe("b", user: nil), .disconnect(nil, code: 4003, reason: ""),
        ]
        let all = own + [.beginSession(user: "bob"), .unsubscribe("a", user: "bob"), .disconnect(.user("bob"), code: 4003, reason: "")]
        let changes = Changes(all, of: envelope(ordinal: 3))
        #expect(changes.again(for: envelope(ordinal: 3)) == all)
        #expect(changes.again(for: envelope(ordinal: 4)) == own)
        #expect(changes.again(for: envelope(connection: "c2", ordinal: 3)) == own)
        #expect(Changes(own, of: envelope()).origin == nil)
    }

    @Test func effectsThatLastAreNoted() throws {
        let message = try HandledMessage(
            envelope(),
            effects: [
                .append(to: .room("a"), Note(n: 1)), .send(Note(n: 2)), .publish(to: .room("a"), Note(n: 3)), .unsubscribe(.room("a")),
                .disconnect(.connection("c1"), code: 4000, reason: "r"), .disconnect(.connection("c2")),
            ]
        )
        #expect(
            message.changes == [
                .unsubscribe("room:a", user: nil), .disconnect(nil, code: 4000, reason: "r"),
                .disconnect(.connection("c2"), code: 4003, reason: ""),
            ]
        )
        #expect(
            message.rest.instructions.dropFirst() == [
                .unsubscribe(.connection("c1"), ordinal: 1, topics: ["room:a"]),
                .disconnect(.connection("c1"), ordinal: 1, code: 4000, reason: "r"),
            ]
        )
        #expect(message.rest.remote.count == 1)
        let text = try #require(CommitPlan([message]).entries.first?.changes)
        // On another connection.
        let again = Repeats.Known(mismatch: false, changes: Changes(text: text)).message(of: envelope(connection: "c9", ordinal: 5))
        #expect(
            again.rest.instructions == [
                .unsubscribe(.connection("c9"), ordinal: 5, topics: ["room:a"]),
                .disconnect(.connection("c9"), ordinal: 5, code: 4000, reason: "r"),
            ]
        )
        #expect(again.rest.remote.isEmpty)
        #expect(Repeats.Known(mismatch: false, changes: Changes(text: text)).message(of: envelope()).rest.remote == message.rest.remote)
    }

    /// What once was right gives nobody a session for ever; what the handler has just found right does.
    @Test func aSessionBeginsAnewOnlyForItsOwnDeliveryOrItsOwnHandler() throws {
        let effects: [Effect] = [.append(to: .room("a"), Note(n: 1)), .beginSession(user: "bob")]
        let text = try #require(try HandledMessage(envelope(), effects: effects).changesText)
        var known = Repeats.Known(mismatch: false, changes: Changes(text: text))
        let elsewhere = envelope(connection: "c2")
        func session(_ outcome: MessageOutcome) -> Done.SessionChange? {
            if case .settled(.committed(let message)) = outcome { message.rest.session } else { nil }
        }
        #expect(session(known.outcome(of: envelope())) == .begin(user: "bob"))
        #expect(session(known.outcome(of: elsewhere)) == nil)
        #expect(session(known.outcome(insteadOf: try HandledMessage(elsewhere, effects: effects))) == .begin(user: "bob"))
        #expect(session(known.outcome(insteadOf: try HandledMessage(elsewhere, effects: [.beginSession(user: "eve")]))) == nil)
        known.changes.origin = nil
        #expect(session(known.outcome(of: envelope())) == nil)
        known.mismatch = true
        #expect(session(known.outcome(insteadOf: try HandledMessage(elsewhere, effects: effects))) == nil)
    }

    @Test func whoComesBackIsOfferedThemAgain() {
        let known = Repeats.Known(mismatch: false, changes: Changes([.subscribe("everyone", from: nil)]))
        #expect(known.message(of: envelope("$connect", #"{"type":"$connect","resume":true}"#)).rest.isOffer)
        #expect(!known.message(of: envelope("$connect", #"{"type":"$connect"}"#)).rest.isOffer)
    }
}
