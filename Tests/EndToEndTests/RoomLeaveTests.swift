import Foundation
import NIOCore
import PlainHTTP
import SparqClient
import Testing
import SparqWebSocket

/// Who leaves a room hears no more of it, on no device, whatever was under way; who joins again does.
@Suite(.timeLimit(.minutes(3))) struct RoomLeaveTests {
    private func post(_ front: Front, _ type: String, _ id: String, _ token: String) async throws {
        let answer = try await front.post(#"{"type":"\#(type)","id":"\#(id)","room":"den"}"#, token: token)
        guard answer.status == 200 else { throw TimedOut(description: "\(type) answered \(answer.status): \(answer.text)") }
    }

    @Test func aSubscriptionUnderWayDoesNotOutliveTheLeave() async throws {
        try await Stack.with { stack, fronts in
            let carl = try await Person("carl", registeredAt: fronts[1], fronts: [fronts[1]])
            try await carl.send("room.create", ["room": "den"])
            let token = try TestToken.make(user: "ann", expiresIn: 600, secret: Stack.secret)
            let socket = try await RawSocket.open(fronts[0], headers: ["Authorization": "Bearer \(token)"])
            let row = "SELECT count(*) FROM directory WHERE topic = 'room:den' AND node = '\(fronts[0].id)'"
            for round in 0..<20 {
                try await post(fronts[1], "room.join", "j\(round)", token)
                async let left: Void = post(fronts[1], "room.leave", "l\(round)", token)
                try await socket.send(text: #"{"type":"subscribe","id":"s\#(round)","topics":{"room:den":null}}"#)
                while try await socket.reply()["re"] as? String != "s\(round)" {}
                try await left
                try await eventually("round \(round): the socket is no subscriber", within: .seconds(5)) { try await stack.sql(row) == "0" }
            }
            await socket.close()
            await carl.leave()
        }
    }

    /// Sent together: the last word counts.
    @Test func whoLeavesAndJoinsInOneBreathIsSubscribed() async throws {
        try await Stack.with { stack, fronts in
            let carl = try await Person("carl", registeredAt: fronts[1], fronts: [fronts[1]])
            try await carl.send("room.create", ["room": "den"])
            let token = try TestToken.make(user: "ann", expiresIn: 600, secret: Stack.secret)
            let socket = try await RawSocket.open(fronts[0], headers: ["Authorization": "Bearer \(token)"])
            try await post(fronts[1], "room.join", "j", token)
            for round in 0..<20 {
                var bytes = socket.encoder.text(#"{"type":"room.leave","id":"l\#(round)","room":"den"}"#)
                bytes.writeImmutableBuffer(socket.encoder.text(#"{"type":"room.join","id":"j\#(round)","room":"den"}"#))
                try await socket.send(bytes)
                while try await socket.reply()["re"] as? String != "j\(round)" {}
                try await carl.send("room.send", ["room": "den", "text": "round \(round)"])
                var isHeard = false
                while !isHeard {
                    guard case .text(let text) = try await socket.next() else { throw TimedOut(description: "the socket closed") }
                    isHeard = text.contains("round \(round)\"")
                }
            }
            await socket.close()
            await carl.leave()
        }
    }
}
