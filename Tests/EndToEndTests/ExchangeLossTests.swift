import SparqAMQP
import Foundation
import SparqClient
import SparqWire
import Testing

/// Somebody deletes Sparq's exchanges, and with them their bindings, while everything runs.
@Suite(.timeLimit(.minutes(3))) struct ExchangeLossTests {
    /// Also the last event before it is quiet, of which no later one tells.
    @Test func messagesAndEventsPassAgainByThemselves() async throws {
        try await Stack.with(fronts: 1, workers: 1) { stack, fronts in
            let names = BrokerNames(prefix: stack.prefix)
            let session = try await AMQPSession(try AMQPConfiguration(url: try TestEnvironment.amqpURL()))
            let ann = try await Person("ann", registeredAt: fronts[0], fronts: fronts)
            let bob = try await Person("bob", registeredAt: fronts[0], fronts: fronts)
            for person in [ann, bob] { try await person.subscribe("everyone") }
            for exchange in [names.inbound, names.delivery, names.node(fronts[0].id)] {
                try await session.deleteExchange(exchange)
                try await ann.send("sendMessage", ["text": "without \(exchange)"], deadline: .seconds(40))
                try await bob.awaitHeard("everyone", from: "ann", "without \(exchange)")
            }
            #expect(await bob.seqs("everyone") == [1, 2, 3])
            for person in [ann, bob] {
                #expect(await person.faults() == [])
                await person.leave()
            }
            session.close()
        }
    }
}
