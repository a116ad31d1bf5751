import Testing

@testable import SparqAMQP

@Suite struct AMQPMessageTests {
    private let long = String(repeating: "x", count: 256)

    @Test func whatCannotBeSentIsRefusedBeforehand() {
        func code(_ message: AMQPMessage, _ exchange: String = "", _ key: String = "") -> AMQPError.Code? {
            do throws(AMQPError) {
                try message.validate(exchange: exchange, routingKey: key)
                return nil
            } catch { return error.code }
        }
        #expect(code(AMQPMessage(body: [])) == nil)
        #expect(code(AMQPMessage(body: []), long) == .invalidArgument)
        #expect(code(AMQPMessage(body: []), "", long) == .invalidArgument)
        #expect(code(AMQPMessage(body: [], contentType: long)) == .invalidArgument)
        #expect(code(AMQPMessage(body: [], messageID: long)) == .invalidArgument)
        #expect(code(AMQPMessage(body: [], headers: [long: 1])) == .invalidArgument)
        #expect(code(AMQPMessage(body: [], headers: ["a": .bytes(.init(repeating: 0, count: 200_000))])) == .invalidArgument)
        #expect(code(AMQPMessage(body: [], headers: ["a": .table(["b": .array([.string(long)])])])) == nil)
    }
}
