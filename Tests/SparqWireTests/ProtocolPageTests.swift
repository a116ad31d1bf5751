import Foundation
import SparqWire
import Testing

/// The examples in docs/PROTOCOL.md are what the code says, byte by byte.
@Suite struct ProtocolPageTests {
    static let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/PROTOCOL.md").standardized

    /// All that is a JSON object: the lines of blocks, and what stands between backticks. `…` stands for the application's part.
    static let examples: [String] = {
        guard let text = try? String(contentsOf: page, encoding: .utf8) else { return [] }
        var examples: [String] = []
        for (index, part) in text.components(separatedBy: "```").enumerated() {
            if index.isMultiple(of: 2) {
                // Every other part between backticks is code. The page may break its lines.
                let code = part.components(separatedBy: "`").enumerated().filter { !$0.offset.isMultiple(of: 2) }.map(\.element)
                examples += code.map { $0.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }.joined() }
            } else {
                examples += part.split(whereSeparator: \.isNewline).map(String.init)
            }
        }
        return examples.filter { $0.hasPrefix("{") }.map { $0.replacing("{…}", with: "{}") }
    }()

    @Test func thereAreExamples() {
        #expect(Self.examples.count >= 20)
        for type in ["$welcome", "$reconnect", "$subscribed", "$offered", "$truncated", "$ping", "$pong", "subscribe", "unsubscribe"] {
            #expect(Self.examples.contains { $0.contains("\"type\":\"\(type)\"") }, "\(type)")
        }
    }

    @Test(arguments: examples) func anExampleIsWhatTheCodeSays(example: String) throws {
        #expect(try Self.again(example) == example)
    }

    /// A test of the test: what no word knows is not let through.
    @Test(arguments: [
        #"{"type":"$future","a":1}"#, #"{"type":"$pong","a":1}"#, #"{"id":"c1","type":"room.send"}"#, #"{"re":"c1","ok":true,"more":1}"#,
        #"{"type":"room.message","seq":42,"topic":"room:lobby","data":{}}"#, #"{"type":"subscribe","topics":{"a":1},"id":"c2"}"#,
        #"{"re":"c2","ok":true,"data":{"topics":{"a":{"seq":1,"ok":true}}}}"#, #"{"a":1}"#,
        #"{"type":"$truncated","topic":"room:lobby","first":120,"after":3}"#,
    ])
    func aWrongExampleIsNoticed(example: String) {
        #expect((try? Self.again(example)) != example)
    }

    /// No word says it so.
    private struct Unknown: Error {}

    /// The example, read by the word that it belongs to and written again.
    private static func again(_ example: String) throws -> String {
        let text = Array(example.utf8)
        let keys = try #require(try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any])
        let type = keys["type"] as? String
        var writer = JSONWriter()
        if keys["ok"] != nil || keys["data"] != nil || type?.hasPrefix("$") == true && type != PingMessage.type {
            let frame = try ServerFrame(decoding: text[...])
            // Events are the application's: none begins with `$`.
            if case .event(let event) = frame, event.type.hasPrefix("$") { throw Unknown() }
            frame.encode(into: &writer)
            if case .reply(let reply) = frame, case .success(let data?) = reply.outcome, let answers = try? SubscribeReply(decoding: data) {
                var again = JSONWriter()
                answers.encode(into: &again)
                if again.bytes[...] != data { throw Unknown() }
            }
            return String(decoding: writer.bytes, as: UTF8.self)
        }
        switch type {
        case PingMessage.type: try PingMessage(decoding: text[...]).encode(into: &writer)
        case SubscribeMessage.type: writer.raw(try JSONDecoder().decode(SubscribeMessage.self, from: Data(text)).json)
        case UnsubscribeMessage.type: writer.raw(try JSONDecoder().decode(UnsubscribeMessage.self, from: Data(text)).json)
        default:
            // The handler's fields come behind `type` and `id`.
            let frame = try FrameScanner.scan(text)
            frame.encode(into: &writer)
            let head = writer.bytes.dropLast()
            guard text.starts(with: head) else { throw Unknown() }
            let fields = Array("{".utf8) + text[head.count...].drop { $0 == UInt8(ascii: ",") }
            return String(decoding: frame.json(fields: fields), as: UTF8.self)
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
