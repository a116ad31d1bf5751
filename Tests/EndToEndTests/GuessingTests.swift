import Foundation
import PlainHTTP
import Testing

/// Passwords are guessed, and log-ins come in floods, by whatever way there is.
@Suite(.timeLimit(.minutes(3))) struct GuessingTests {
    private static let forwarded = ["SPARQ_FORWARDED_HEADER": "X-Forwarded-For"]

    private func logIn(_ user: String, _ password: String, _ front: Front, from address: String) async throws -> HTTPAnswer {
        try await HTTPExchange.post(
            front.http + "/v1/messages",
            message: Array(#"{"type":"auth.login","user":"\#(user)","password":"\#(password)"}"#.utf8),
            token: nil,
            headers: [(name: "X-Forwarded-For", value: address)]
        )
    }

    private func open(_ front: Front, _ token: String, from address: String) async throws -> RawSocket {
        try await RawSocket.open(front, headers: ["Authorization": "Bearer \(token)", "X-Forwarded-For": address])
    }

    /// In a debug build each guess takes a second or more, and those of one connection are looked at one by one: so the front waits long.
    @Test func guessesAreLimitedByAddressAndAccountOverEveryTransport() async throws {
        let settings = Self.forwarded.merging(["SPARQ_REPLY_DEADLINE_MS": "60000"]) { $1 }
        try await Stack.with(fronts: 2, workers: 2, front: settings) { stack, fronts in
            _ = try await BadInputTests.token("ann", fronts[0])
            let token = try await BadInputTests.token("eve", fronts[1])
            let start = ContinuousClock.now
            // 150 at once over four sockets of both fronts, in several spellings, and some over HTTP.
            var sockets: [RawSocket] = []
            for place in 0..<4 { sockets.append(try await open(fronts[place % 2], token, from: "10.0.0.1")) }
            for number in 0..<38 {
                for (place, socket) in sockets.enumerated() {
                    let name = ["ann", "ANN", "Ann"][number % 3]
                    try await socket.send(
                        text:
                            #"{"type":"auth.login","id":"\#(place)-\#(number)","user":"\#(name)","password":"guess \#(number)"}"#
                    )
                }
            }
            var codes: [String?] = []
            for socket in sockets {
                for _ in 0..<38 { codes.append(BadInputTests.code(try await socket.reply(within: .seconds(60)))) }
                await socket.close()
            }
            for front in fronts {
                let answer = try await logIn("ann", "another guess", front, from: "10.0.0.1")
                #expect(answer.status == 429 && answer.text.contains("Try again in"), "\(answer.status) \(answer.text)")
            }
            let looked = codes.count { $0 == "invalid_credentials" }
            // Ten, and one more every 15 seconds.
            let most = 11 + Int((ContinuousClock.now - start) / .seconds(15))
            #expect(looked >= 1 && looked <= most, "\(looked) guesses were looked at")
            #expect(codes.count { $0 == "rate_limited" || $0 == "unavailable" } == codes.count - looked)
            // The owner is elsewhere.
            #expect(try await logIn("ann", Person.password, fronts[0], from: "10.0.0.2").status == 200)
            // And where the guesses came from it takes some seconds.
            try await eventually("the right password counts again", within: .seconds(40)) {
                try await logIn("ann", Person.password, fronts[1], from: "10.0.0.1").status == 200
            }
            #expect(try await stack.sql("SELECT count(*) FROM guesses WHERE subject = 'account ann'") == "1")
        }
    }

    /// All of one address, and from a hundred.
    @Test func aFloodOfLogInsHoldsUpNobodyElse() async throws {
        try await Stack.with(fronts: 1, workers: 1, front: Self.forwarded) { _, fronts in
            let front = fronts[0]
            let bob = try await Person("bob", registeredAt: front, fronts: fronts)
            let token = try await BadInputTests.token("eve", front)
            try await bob.send("sendMessage", ["text": "before"])
            var sockets: [RawSocket] = []
            for number in 0..<8 { sockets.append(try await open(front, token, from: "10.0.\(number).1")) }
            for number in 0..<12 {
                for (place, socket) in sockets.enumerated() {
                    try await socket.send(
                        text: #"{"type":"auth.login","id":"\#(number)","user":"user\#(place)x\#(number)","password":"guess"}"#
                    )
                }
            }
            var times: [Duration] = []
            for number in 0..<40 {
                let start = ContinuousClock.now
                try await bob.send("sendMessage", ["text": "\(number)"])
                times.append(.now - start)
            }
            times.sort()
            #expect(times[38] < .milliseconds(1500), "\(times)")
            for socket in sockets {
                for _ in 0..<12 {
                    let code = BadInputTests.code(try await socket.reply())
                    #expect(["invalid_credentials", "rate_limited", "unavailable"].contains(code))
                }
                await socket.close()
            }
            await bob.leave()
        }
    }
}
