import Foundation
import Testing

@testable import sparq_chaos

/// The harness's own servers, killed as a plan kills them.
@Suite(.timeLimit(.minutes(4))) struct ServersTests {
    @Test func aQueueThatWasJustDeclaredOutlivesItsBroker() async throws {
        let folder = SabotageTests.root.appendingPathComponent(".stack-test/servers-\(UInt32.random(in: .min ... .max))")
        let servers = Servers(root: SabotageTests.root, folder: folder)
        do {
            _ = try await servers.start()
            // 20 of them, so that the last ones are fresh whenever the broker writes down what it has.
            let declare = """
                [rabbit_amqqueue:declare(rabbit_misc:r(<<"sparq">>, queue, integer_to_binary(N)), true, false,
                    [{<<"x-queue-type">>, longstr, <<"quorum">>}], none, <<"test">>) || N <- lists:seq(1, 20)], ok.
                """
            _ = try await servers.control(["eval", declare])
            try await servers.awaitQuorumQueues()
            kill(try await servers.pid(.rabbitmq), SIGKILL)
            try await servers.restart(.rabbitmq)
            let leaderless = "[Q || Q <- rabbit_amqqueue:list(), element(1, ra:members(amqqueue:get_pid(Q), 5000)) =/= ok]."
            #expect(try await servers.control(["eval", leaderless]).contains("[]"))
        } catch {
            Issue.record("\(error)")
        }
        try await servers.clean()
    }
}
