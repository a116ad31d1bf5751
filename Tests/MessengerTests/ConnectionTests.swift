import Sparq
import SparqTesting
import Testing

@testable import Messenger

@Suite struct ConnectionTests {
    let tester = HandlerTester(.messenger())

    @Test func aConnectionHearsItsUserAndEveryone() async throws {
        let outcome = try await tester.send(SystemType.connect, user: "alice", id: nil)
        let topics = outcome.effects.compactMap {
            if case .subscribe(let topic, let cursor) = $0, cursor == nil { topic.rawValue } else { nil }
        }
        #expect(topics == ["user:alice", "everyone"])
        #expect(outcome.effects.count == 2)
    }

    @Test(
        arguments: [
            ("everyone", "alice", nil), ("user:alice", "alice", nil), ("everyone", nil, .unauthenticated),
            ("user:alice", nil, .unauthenticated), ("user:bob", "alice", .forbidden), ("user:", "alice", .forbidden),
            ("user:alice:more", "alice", .forbidden), ("everyone:else", "alice", .notFound), ("room:lobby", nil, .unauthenticated),
            ("presence:bob", "alice", nil), ("presence:bob", nil, .unauthenticated), ("presence:", "alice", .notFound),
            ("queue:1", "alice", .forbidden),
        ] as [(String, String?, ErrorCode?)]
    )
    func policies(_ topic: String, _ user: String?, _ code: ErrorCode?) async throws {
        #expect(try await tester.subscribe(to: Topic(rawValue: topic), user: user)?.code == code)
    }
}
