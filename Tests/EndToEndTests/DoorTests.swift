import Foundation
import SparqClient
import Testing

/// Browsers at the front's door: under a path, from another origin, with several devices of one person.
@Suite(.timeLimit(.minutes(5))) struct DoorTests {
    @Test func aPageUnderAPathTalks() async throws {
        try await Stack.with(fronts: 1, workers: 1) { _, fronts in
            let proxy = try await PathProxy("/chat", to: fronts[0])
            try await WebDriver.with { driver in
                let ann = try await driver.openBrowser()
                try await ann.register("ann", at: proxy.page)
                try await ann.say("from below")
                try await ann.awaitText("from below", from: "ann")
                // The session is found again.
                try await ann.go(proxy.page)
                try await eventually("ann is in again") { try await ann.status() == "open" }
            }
            await proxy.close()
        }
    }

    @Test func aRoomThatOneDeviceJoinsAndLeavesIsJoinedAndLeftOnTheOther() async throws {
        try await Stack.with(fronts: 2, workers: 1) { _, fronts in
            try await WebDriver.with { driver in
                let (one, other) = (try await driver.openBrowser(), try await driver.openBrowser())
                try await one.register("ann", at: fronts[0].http + "/")
                try await other.logIn("ann", at: fronts[1].http + "/")
                let room = #"#rooms [data-key="room:lobby"] .label"#
                try await one.type("#room-name", "lobby")
                try await one.click("#room-create")
                try await one.awaitConversation("room:lobby")
                try await eventually("the other device has the room") { try await other.texts(room) == ["lobby"] }
                try await one.say("first")
                try await other.click(room)
                try await other.awaitText("first", from: "ann")
                try await other.say("second")
                for device in [one, other] { try await device.awaitText("second", from: "ann") }
                try await other.click("#leave-room")
                for device in [other, one] {
                    try await eventually("the room is gone") { try await device.texts(room).isEmpty }
                    try await device.awaitConversation("everyone")
                }
                // And back: what was left is joined anew.
                try await one.type("#room-name", "lobby")
                try await one.click("#room-join")
                try await one.awaitConversation("room:lobby")
                try await eventually("the other device has the room again") { try await other.texts(room) == ["lobby"] }
                try await other.click(room)
                try await one.say("third")
                try await other.awaitText("third", from: "ann")
            }
        }
    }

    @Test func aPageOfANamedOriginLogsInAndReadsTheAnswers() async throws {
        // The chat page's own policy would keep it from asking others.
        let open = ["SPARQ_CONTENT_SECURITY_POLICY": "frame-ancestors 'none'"]
        try await Stack.with(fronts: 1, workers: 1, front: open) { stack, fronts in
            let named = try await stack.startFront(["SPARQ_ALLOWED_ORIGINS": fronts[0].http].merging(open) { $1 })
            try await stack.awaitReady(named)
            try await WebDriver.with { driver in
                let browser = try await driver.openBrowser()
                func ask(_ front: Front, _ message: String) async throws -> String {
                    let fields = #"method: "POST", credentials: "include", headers: { "Content-Type": "application/json" }"#
                    _ = try await browser.evaluate(
                        """
                        window.answer = "";
                        fetch("\(front.http)/v1/messages", { \(fields), body: '\(message)' })
                            .then((response) => response.text()).then((text) => window.answer = text, (error) => window.answer = "failed " + error);
                        """
                    )
                    return try await eventually("an answer") {
                        let answer = try await browser.evaluate("return window.answer")
                        return answer.isEmpty ? nil : answer
                    }
                }
                try await browser.go(fronts[0].http + "/healthz")
                let register = #"{"type":"auth.register","user":"ann","password":"\#(Person.password)"}"#
                #expect(try await ask(named, register).contains(#""ok":true"#))
                #expect(try await ask(named, #"{"type":"who"}"#).contains(#""user":"ann""#))
                #expect(try await ask(named, #"{"type":"nonsense"}"#).contains(#""code":"unknown_type""#))
                try await browser.go(named.http + "/healthz")
                #expect(try await ask(fronts[0], #"{"type":"who"}"#).hasPrefix("failed"))
                #expect(fronts[0].process.log.contains("SPARQ_ALLOWED_ORIGINS"))
            }
        }
    }

    /// An older secret, or another Sparq on the same host: its cookie is here, and the page cannot remove it.
    @Test func aStaleCookieDoesNotKeepAPageFromLoggingIn() async throws {
        try await Stack.with(fronts: 1, workers: 1) { stack, fronts in
            let before = try await stack.startFront(["SPARQ_JWT_SECRET": "another secret that is long enough 0123456789"])
            try await stack.awaitReady(before)
            try await WebDriver.with { driver in
                let ann = try await driver.openBrowser()
                try await ann.register("ann", at: before.http + "/")
                try await ann.logIn("ann", at: fronts[0].http + "/")
                #expect(try await ann.texts("#me") == ["ann"])
            }
        }
    }
}
