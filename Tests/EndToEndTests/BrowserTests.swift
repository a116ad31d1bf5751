import Foundation
import Testing

/// Two real browsers on two fronts.
@Suite(.timeLimit(.minutes(5))) struct BrowserTests {
    @Test func twoBrowsersOnTwoFrontsTalk() async throws {
        try await Stack.with { _, fronts in
            try await WebDriver.with { try await talk($0, fronts) }
        }
    }

    @Test func aPageSaysThatHistoryWasSetBack() async throws {
        try await Stack.with(fronts: 1, workers: 1) { stack, fronts in
            try await WebDriver.with { driver in
                let ann = try await driver.openBrowser()
                try await ann.register("ann", at: fronts[0])
                for text in ["kept", "lost"] {
                    try await ann.say(text)
                    try await ann.awaitText(text, from: "ann")
                }
                // As a database restored from a copy that is older than the last message.
                _ = try await stack.sql(
                    "DELETE FROM events WHERE topic = 'everyone' AND seq > 1; UPDATE topics SET seq = 1 WHERE topic = 'everyone'"
                )
                try await fronts[0].process.killNow()
                try await stack.awaitReady(try await stack.startFront(["SPARQ_HTTP_PORT": "\(fronts[0].port)"]))
                try await eventually("it is said", within: .seconds(60)) {
                    try await ann.texts("#messages .notice").first?.contains("set back") == true
                }
                try await eventually("what is left is read") { try await ann.texts("#messages [data-from=ann] .text") == ["kept"] }
            }
        }
    }

    private func talk(_ driver: WebDriver, _ fronts: [Front]) async throws {
        let ann = try await driver.openBrowser()
        let bob = try await driver.openBrowser()
        try await ann.register("ann", at: fronts[0])
        try await bob.register("bob", at: fronts[1])
        #expect(try await ann.texts("#node") == [fronts[0].id])
        #expect(try await bob.texts("#node") == [fronts[1].id])

        try await ann.say("hello everyone")
        try await bob.awaitText("hello everyone", from: "ann")
        try await ann.awaitText("hello everyone", from: "ann")

        try await ann.type("#room-name", "lobby")
        try await ann.click("#room-create")
        try await ann.awaitConversation("room:lobby")
        try await bob.type("#room-name", "lobby")
        try await bob.click("#room-join")
        try await bob.awaitConversation("room:lobby")
        try await bob.say("hello room")
        try await ann.awaitText("hello room", from: "bob")

        try await ann.type("#direct-name", "bob")
        try await ann.click("#direct-start")
        try await ann.awaitConversation("direct:bob")
        try await eventually("bob is shown as present") { try await ann.texts(presenceOfBob("true")) == ["bob"] }
        try await ann.say("hello bob")
        try await eventually("bob has a conversation with ann") { try await !bob.texts(#"[data-key="direct:ann"]"#).isEmpty }
        try await bob.click(#"#directs [data-key="direct:ann"]"#)
        try await bob.awaitText("hello bob", from: "ann")
        // Not once more than it was said.
        #expect(try await bob.texts(#"#messages [data-from="ann"] .text"#) == ["hello bob"])
        #expect(try await bob.texts("#messages .pending").isEmpty)
        await bob.close()
        try await eventually("bob is shown as away") { try await ann.texts(presenceOfBob("false")) == ["bob"] }
        await ann.close()
    }

    private func presenceOfBob(_ online: String) -> String { #"#directs [data-key="direct:bob"][data-online="\#(online)"] .label"# }
}
