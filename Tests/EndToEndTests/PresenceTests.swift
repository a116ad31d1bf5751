import Foundation
import SparqClient
import Testing

/// Who is there, as others see it.
@Suite(.timeLimit(.minutes(3))) struct PresenceTests {
    private static let lease = ["SPARQ_LEASE_MS": "3000"]

    /// Their front is killed, and they do not come back: when its lease has run out, they are gone for everybody.
    @Test func theUsersOfAKilledFrontGoOffline() async throws {
        try await Stack.with(front: Self.lease, worker: Self.lease) { _, fronts in
            let ann = try await Person("ann", registeredAt: fronts[0], fronts: [fronts[0]])
            try await ann.subscribe("presence:bob", "presence:carl")
            let bob = try await Person("bob", registeredAt: fronts[1], fronts: [fronts[1]])
            // He has a second device, elsewhere.
            let carl = try await Person("carl", registeredAt: fronts[1], fronts: [fronts[1]])
            let phone = try Person("carl", token: carl.token, fronts: [fronts[0]])
            await phone.start()
            for name in ["bob", "carl"] { try await eventually("\(name) is there") { await ann.isThere(name) == true } }
            try await eventually("the phone is there too") { await phone.node == fronts[0].id }
            try await fronts[1].process.killNow()
            try await eventually("bob is gone") { await ann.isThere("bob") == false }
            #expect(await ann.isThere("carl") == true)
            #expect(try await ann.presence(of: ["bob", "carl"]) == ["bob": false, "carl": true])
            await phone.leave()
            try await eventually("carl is gone") { await ann.isThere("carl") == false }
            for person in [ann, bob, carl] { await person.leave() }
        }
    }

    /// Connect and leave at once: another worker may take up the leave before the join. Nobody stays online by it, and no lease has to mend that.
    @Test func whoConnectsAndLeavesAtOnceIsGone() async throws {
        let long = ["SPARQ_LEASE_MS": "90000"]
        try await Stack.with(front: long, worker: long) { stack, fronts in
            for round in 0..<40 {
                let token = try TestToken.make(user: "guest\(round)", expiresIn: 600, secret: Stack.secret)
                let socket = try await RawSocket.open(fronts[round % 2], headers: ["Authorization": "Bearer \(token)"])
                // The welcome: the front asks for the user's topic just now.
                _ = try await socket.next()
                await socket.close()
            }
            let left = "SELECT count(*) FROM departures WHERE topic LIKE 'user:guest%'"
            try await eventually("all have left") { try await stack.sql(left) == "40" }
            // What is late has come by now; a join of before the leave may be among it.
            try await Task.sleep(for: .seconds(1))
            #expect(try await stack.sql("SELECT count(*) FROM directory WHERE topic LIKE 'user:guest%'") == "0")
        }
    }

    @Test func aClosedSocketAndAStoppedFrontTakeTheirUsersAway() async throws {
        // Nothing here waits for a lease.
        try await Stack.with(workers: 1) { stack, fronts in
            let ann = try await Person("ann", registeredAt: fronts[0], fronts: [fronts[0]])
            try await ann.subscribe("presence:bob", "presence:carl")
            let bob = try await Person("bob", registeredAt: fronts[1], fronts: [fronts[1]])
            let carl = try await Person("carl", registeredAt: fronts[1], fronts: [fronts[1]])
            for name in ["bob", "carl"] { try await eventually("\(name) is there") { await ann.isThere(name) == true } }
            await bob.leave()
            try await eventually("bob is gone") { await ann.isThere("bob") == false }
            #expect(try await fronts[1].process.stop() == 0)
            try await eventually("carl is gone") { await ann.isThere("carl") == false }
            #expect(try await stack.sql("SELECT count(*) FROM directory WHERE node = '\(fronts[1].id)'") == "0")
            for person in [ann, carl] { await person.leave() }
        }
    }
}

extension Person {
    fileprivate struct Presence: Decodable {
        var user: String
        var online: Bool
        var at: String
    }

    private struct List: Decodable { var presence: [Presence] }

    /// What the latest event says of a user; `nil` where there is none.
    fileprivate func isThere(_ user: String) -> Bool? {
        let events: [Presence] = journal.compactMap { entry in
            guard case .event(let event) = entry, event.type == "presence.changed" else { return nil }
            return try? event.decode(Presence.self)
        }
        return events.filter { $0.user == user }.max { $0.at < $1.at }?.online
    }

    fileprivate func presence(of users: [String]) async throws -> [String: Bool] {
        let reply = try await client.send("presence.get", ["users": users])
        return Dictionary(uniqueKeysWithValues: try reply.decode(List.self).presence.map { ($0.user, $0.online) })
    }
}
