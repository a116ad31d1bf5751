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
        let unit = try Unit(
            envelope: envelope(),
            effects: [
                .append(to: .room("a"), Note(n: 1)), .send(Note(n: 2)), .publish(to: .room("a"), Note(n: 3)), .unsubscribe(.room("a")),
                .disconnect(.connection("c1"), code: 4000, reason: "r"), .disconnect(.connection("c2")),
            ]
        )
        #expect(
            unit.changes == [
                .unsubscribe("room:a", user: nil), .disconnect(nil, code: 4000, reason: "r"),
                .disconnect(.connection("c2"), code: 4003, reason: ""),
            ]
        )
        #expect(
            unit.instructions.dropFirst() == [
                .unsubscribe(.connection("c1"), ordinal: 1, topics: ["room:a"]),
                .disconnect(.connection("c1"), ordinal: 1, code: 4000, reason: "r"),
            ]
        )
        #expect(unit.remote.count == 1)
        let text = try #require(CommitPlan([unit]).entries.first?.changes)
        // On another connection.
        let again = Repeats.Known(mismatch: false, changes: Changes(text: text)).unit(of: envelope(connection: "c9", ordinal: 5))
        #expect(
            again.instructions == [
                .unsubscribe(.connection("c9"), ordinal: 5, topics: ["room:a"]),
                .disconnect(.connection("c9"), ordinal: 5, code: 4000, reason: "r"),
            ]
        )
        #expect(again.remote.isEmpty)
        #expect(Repeats.Known(mismatch: false, changes: Changes(text: text)).unit(of: envelope()).remote == unit.remote)
    }

    /// What once was right gives nobody a session for ever; what the handler has just found right does.
    @Test func aSessionBeginsAnewOnlyForItsOwnDeliveryOrItsOwnHandler() throws {
        let effects: [Effect] = [.append(to: .room("a"), Note(n: 1)), .beginSession(user: "bob")]
        let text = try #require(try Unit(envelope: envelope(), effects: effects).changesText)
        var known = Repeats.Known(mismatch: false, changes: Changes(text: text))
        let elsewhere = envelope(connection: "c2")
        #expect(known.unit(insteadOf: Unit(envelope: envelope())).session == .begin(user: "bob"))
        #expect(known.unit(insteadOf: Unit(envelope: elsewhere)).session == nil)
        #expect(known.unit(insteadOf: try Unit(envelope: elsewhere, effects: effects)).session == .begin(user: "bob"))
        #expect(known.unit(insteadOf: try Unit(envelope: elsewhere, effects: [.beginSession(user: "eve")])).session == nil)
        known.changes.origin = nil
        #expect(known.unit(insteadOf: Unit(envelope: envelope())).session == nil)
        known.mismatch = true
        #expect(known.unit(insteadOf: try Unit(envelope: elsewhere, effects: effects)).session == nil)
    }

    @Test func whoComesBackIsOfferedThemAgain() {
        let known = Repeats.Known(mismatch: false, changes: Changes([.subscribe("everyone", from: nil)]))
        #expect(known.unit(of: envelope("$connect", #"{"type":"$connect","resume":true}"#)).isOffer)
        #expect(!known.unit(of: envelope("$connect", #"{"type":"$connect"}"#)).isOffer)
    }
}
