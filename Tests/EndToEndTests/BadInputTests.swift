import Foundation
import NIOCore
import SparqClient
import Testing
import SparqWebSocket

/// What bad input gets: a stable code, and a connection that stays, or the close code of RFC 6455.
@Suite(.timeLimit(.minutes(3))) struct BadInputTests {
    static func code(_ reply: [String: Any]) -> String? { (reply["error"] as? [String: Any])?["code"] as? String }

    @Test func everyBadFrameGetsItsCode() async throws {
        try await Stack.with(fronts: 1, workers: 1) { stack, fronts in
            let front = fronts[0]
            let token = try await Self.token("ann", front)
            let socket = try await RawSocket.open(front, headers: ["Authorization": "Bearer \(token)"])
            let cases: [(text: String, code: String, re: String?)] = [
                ("{", "not_json", nil), ("nonsense", "not_json", nil), (#"{"type":"a"} x"#, "not_json", nil), ("[1]", "not_an_object", nil),
                (#""text""#, "not_an_object", nil), (#"{"id":"1"}"#, "missing_type", nil), (#"{"type":7,"id":"2"}"#, "invalid_type", "2"),
                (#"{"type":"$sync","id":"3"}"#, "invalid_type", "3"), (#"{"type":"who","id":7}"#, "invalid_id", nil),
                (#"{"type":"sendMessage","id":"a\u0000b","text":"x"}"#, "invalid_id", nil),
                (#"{"type":"no.such","id":"4"}"#, "unknown_type", "4"), (#"{"type":"room.send","id":"5"}"#, "invalid_fields", "5"),
                (#"{"type":"sendMessage","id":"6","text":7}"#, "invalid_fields", "6"),
                (#"{"type":"room.send","id":"7","room":"nowhere","text":"x"}"#, "not_a_member", "7"),
                (#"{"type":"direct.send","id":"8","to":"nobody","text":"x"}"#, "not_found", "8"),
                (#"{"type":"room.list","id":"9","all":true,"after":"\u0000"}"#, "invalid_fields", "9"),
                (#"{"type":"auth.login","id":"10","user":"ann\u0000","password":"x"}"#, "invalid_fields", "10"),
                (#"{"type":"room.list","id":"11","all":true,"after":"\ud800"}"#, "not_json", nil),
                (#"{"type":"room.list","id":"12","all":true,"limit":1e400}"#, "invalid_fields", "12"),
            ]
            for (text, code, re) in cases {
                try await socket.send(text: text)
                let reply = try await socket.reply()
                #expect(Self.code(reply) == code, "\(text): \(reply)")
                #expect(reply["re"] as? String == re, "\(text): \(reply)")
                #expect((reply["error"] as? [String: Any])?["message"] as? String != nil, "\(text): no sentence for people")
            }
            try await socket.send(socket.encoder.binary(ByteBuffer(string: "x")))
            #expect(Self.code(try await socket.reply()) == "binary_frame")
            // The same id for another message: what took effect under it is answered, and marked.
            for (text, marks) in [("first", [nil, nil] as [Bool?]), ("other", [true, true])] {
                try await socket.send(text: #"{"type":"sendMessage","id":"twice","text":"\#(text)"}"#)
                let reply = try await socket.reply()
                #expect(reply["ok"] as? Bool == true && reply["re"] as? String == "twice", "\(reply)")
                #expect([reply["repeat"] as? Bool, reply["mismatch"] as? Bool] == marks, "\(reply)")
            }
            // After all that the connection still works.
            try await socket.send(text: #"{"type":"who","id":"last"}"#)
            #expect(try await socket.reply()["ok"] as? Bool == true)
            await socket.close()

            try await cursors(front, token)
            try await closings(front, token)
        }
    }

    private func cursors(_ front: Front, _ token: String) async throws {
        let socket = try await RawSocket.open(front, headers: ["Authorization": "Bearer \(token)"])
        for cursor in ["-1", "99999", "1.5", #""7""#] {
            try await socket.send(
                text:
                    #"{"type":"subscribe","id":"s\#(cursor.utf8.count)\#(cursor.hashValue)","topics":{"user:ann":\#(cursor),"user:bob":0,"everyone":null,"room:e\u0301":null}}"#
            )
            let reply = try await socket.reply()
            let topics = (reply["data"] as? [String: Any])?["topics"] as? [String: [String: Any]] ?? [:]
            #expect(Self.code(topics["user:ann"] ?? [:]) == "invalid_cursor", "\(cursor): \(reply)")
            #expect(Self.code(topics["user:bob"] ?? [:]) == "forbidden", "\(cursor): \(reply)")
            #expect(topics["everyone"]?["ok"] as? Bool == true, "\(cursor): \(reply)")
            #expect(Self.code(topics["room:e\u{301}"] ?? [:]) == "invalid_fields", "\(cursor): \(reply)")
        }
        await socket.close()
    }

    private func closings(_ front: Front, _ token: String) async throws {
        func closeCode(_ bytes: (RawSocket) -> ByteBuffer) async throws -> Int? {
            let socket = try await RawSocket.open(front, headers: ["Authorization": "Bearer \(token)"])
            try await socket.send(bytes(socket))
            let code = try await socket.closeCode()
            await socket.close()
            return code
        }
        let long = #"{"type":"sendMessage","text":""# + String(repeating: "x", count: 70_000) + #""}"#
        #expect(try await closeCode { $0.encoder.text(long) } == 1009)
        #expect(try await closeCode { $0.encoder.frame(.text, payload: [0x22, 0xC3, 0x28, 0x22]) } == 1007)
        #expect(try await closeCode { _ in ByteBuffer(bytes: [0x81, 0x02, 0x7B, 0x7D]) } == 1002, "an unmasked frame")
        #expect(try await closeCode { _ in ByteBuffer(bytes: [0xC1, 0x80, 0, 0, 0, 0]) } == 1002, "a reserved bit")
        #expect(try await closeCode { _ in ByteBuffer(bytes: [0x83, 0x80, 0, 0, 0, 0]) } == 1002, "an unknown opcode")
    }

    static func token(_ user: String, _ front: Front) async throws -> String {
        try await Person.register(user, at: front)
    }
}
