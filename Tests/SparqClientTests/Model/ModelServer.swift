import Foundation

@testable import SparqClient

/// A server as the protocol describes it: an inbox by message id, numbered topics, one connection at a time.
struct ModelServer {
    struct Message: Decodable {
        var type: String
        var id: String
        var text: String?
        var topics: [String: Int?]?
    }

    /// How often each message took effect, by its text.
    private(set) var effects: [String: Int] = [:]
    private(set) var order: [String] = []
    private var inbox: [String: String] = [:]
    private(set) var heads: [String: Int] = [:]
    /// What the connection has of its topics.
    private var positions: [String: Int] = [:]
    private(set) var outgoing: [String] = []
    private(set) var unreadable = 0

    mutating func open(number: Int) {
        positions = [:]
        outgoing = [
            #"{"type":"$welcome","connection":"k\#(number)","user":"alice","node":"n1","heartbeat_ms":25000,"limits":{"message_bytes":65536,"in_flight":8}}"#
        ]
    }

    mutating func lose() {
        positions = [:]
        outgoing = []
    }

    mutating func takeFrame() -> String? { outgoing.isEmpty ? nil : outgoing.removeFirst() }

    mutating func publish(_ topic: String) {
        heads[topic, default: 0] += 1
    }

    /// Pushes the next event of a topic that the connection is behind of.
    mutating func push(_ pick: (Int) -> Int) {
        let behind = positions.filter { $0.value < heads[$0.key, default: 0] }.keys.sorted()
        guard !behind.isEmpty else { return }
        let topic = behind[pick(behind.count)]
        let seq = positions[topic, default: 0] + 1
        positions[topic] = seq
        outgoing.append(#"{"type":"note","topic":"\#(topic)","seq":\#(seq),"at":"2026-01-31T12:00:00.000Z","data":{"n":\#(seq)}}"#)
    }

    /// - Parameters:
    ///   - failsBefore: answer `unavailable` and do nothing.
    ///   - failsAfter: answer `unavailable` although the message took effect.
    mutating func receive(_ bytes: [UInt8], failsBefore: Bool, failsAfter: Bool) {
        guard let message = try? JSONDecoder().decode(Message.self, from: Data(bytes)) else {
            unreadable += 1
            return
        }
        let unavailable = #"{"re":"\#(message.id)","ok":false,"error":{"code":"unavailable","message":"Later."}}"#
        if failsBefore { return outgoing.append(unavailable) }
        if let wanted = message.topics {
            var answers: [String] = []
            for (topic, cursor) in wanted {
                positions[topic] = cursor ?? heads[topic, default: 0]
                answers.append(#""\#(topic)":{"ok":true,"seq":\#(heads[topic, default: 0])}"#)
            }
            outgoing.append(#"{"re":"\#(message.id)","ok":true,"data":{"topics":{\#(answers.joined(separator: ","))}}}"#)
            return
        }
        let text = message.text ?? "?"
        if let reply = inbox[message.id] {
            outgoing.append(failsAfter ? unavailable : String(reply.dropLast()) + #","repeat":true}"#)
            return
        }
        effects[text, default: 0] += 1
        order.append(text)
        let reply = #"{"re":"\#(message.id)","ok":true,"data":{"text":"\#(text)"}}"#
        inbox[message.id] = reply
        outgoing.append(failsAfter ? unavailable : reply)
    }

    var isIdle: Bool { outgoing.isEmpty && positions.allSatisfy { $0.value >= heads[$0.key, default: 0] } }
}
