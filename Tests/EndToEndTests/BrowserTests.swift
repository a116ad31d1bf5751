import Foundation
import Testing

/// Two real browsers on two fronts.
@Suite(.timeLimit(.minutes(5))) struct BrowserTests {
    @Test func twoBrowsersOnTwoFrontsTalk() async throws {
        try await Stack.with { _, fronts in
            let driver = try await WebDriver()
            do {
                try await talk(driver, fronts)
            } catch {
                await driver.end()
                throw error
            }
            await driver.end()
        }
    }

    @Test func aPageSaysThatHistoryWasSetBack() async throws {
        try await Stack.with(fronts: 1, workers: 1) { stack, fronts in
            let driver = try await WebDriver()
            do {
                let ann = try await driver.openBrowser()
                try await register(ann, "ann", fronts[0])
                for text in ["kept", "lost"] {
                    try await say(ann, text)
                    try await awaitText(ann, text, from: "ann")
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
            } catch {
                await driver.end()
                throw error
            }
            await driver.end()
        }
    }

    private func talk(_ driver: WebDriver, _ fronts: [Front]) async throws {
        let ann = try await driver.openBrowser()
        let bob = try await driver.openBrowser()
        try await register(ann, "ann", fronts[0])
        try await register(bob, "bob", fronts[1])
        #expect(try await ann.texts("#node") == [fronts[0].id])
        #expect(try await bob.texts("#node") == [fronts[1].id])

        try await say(ann, "hello everyone")
        try await awaitText(bob, "hello everyone", from: "ann")
        try await awaitText(ann, "hello everyone", from: "ann")

        try await ann.type("#room-name", "lobby")
        try await ann.click("#room-create")
        try await awaitConversation(ann, "room:lobby")
        try await bob.type("#room-name", "lobby")
        try await bob.click("#room-join")
        try await awaitConversation(bob, "room:lobby")
        try await say(bob, "hello room")
        try await awaitText(ann, "hello room", from: "bob")

        try await ann.type("#direct-name", "bob")
        try await ann.click("#direct-start")
        try await awaitConversation(ann, "direct:bob")
        try await eventually("bob is shown as present") { try await ann.texts(presenceOfBob("true")) == ["bob"] }
        try await say(ann, "hello bob")
        try await eventually("bob has a conversation with ann") { try await !bob.texts(#"[data-key="direct:ann"]"#).isEmpty }
        try await bob.click(#"#directs [data-key="direct:ann"]"#)
        try await awaitText(bob, "hello bob", from: "ann")
        // Not once more than it was said.
        #expect(try await bob.texts(#"#messages [data-from="ann"] .text"#) == ["hello bob"])
        #expect(try await bob.texts("#messages .pending").isEmpty)
        await bob.close()
        try await eventually("bob is shown as away") { try await ann.texts(presenceOfBob("false")) == ["bob"] }
        await ann.close()
    }

    private func presenceOfBob(_ online: String) -> String { #"#directs [data-key="direct:bob"][data-online="\#(online)"] .label"# }

    private func register(_ browser: Browser, _ name: String, _ front: Front) async throws {
        try await browser.go(front.http + "/")
        try await eventually("the login form is there") { try await browser.evaluate("return document.body.dataset.view") == "login" }
        try await browser.click("#tab-register")
        try await browser.type("#register-user", name)
        try await browser.type("#register-password", Person.password)
        try await browser.click("#register-submit")
        try await eventually("\(name) is in: \(try await browser.texts("#auth-error"))") {
            try await browser.evaluate("return document.body.dataset.status") == "open"
        }
        #expect(try await browser.texts("#me") == [name])
    }

    private func say(_ browser: Browser, _ text: String) async throws {
        try await browser.type("#message-input", text)
        try await browser.click("#message-send")
    }

    private func awaitConversation(_ browser: Browser, _ key: String) async throws {
        try await eventually("\(key) is open") {
            try await browser.evaluate("return document.querySelector('#conversation').dataset.key") == key
        }
    }

    private func awaitText(_ browser: Browser, _ text: String, from name: String) async throws {
        try await eventually("\(name) is read") {
            try await browser.texts("#messages [data-seq][data-from=\"\(name)\"] .text").contains(text)
        }
    }
}
