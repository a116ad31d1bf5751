import Foundation
import SparqClient
import Testing

/// The instruments themselves: a test that cannot see proves nothing.
@Suite(.timeLimit(.minutes(2))) struct HarnessTests {
    @Test func theWitnessReadsTheDatabase() async throws {
        #expect(try await Command.sql("SELECT 6 * 7", at: try TestEnvironment.postgresURL()) == "42")
        await #expect(throws: Command.Failure.self) { try await Command.sql("SELECT nothing", at: try TestEnvironment.postgresURL()) }
    }

    @Test func aForwarderIsAbsentUntilItIsOpened() async throws {
        let forwarder = try await Forwarder(to: try TestEnvironment.postgresURL(), defaultPort: 5_432)
        let url = try TestEnvironment.url(try TestEnvironment.postgresURL(), port: forwarder.port)
        await #expect(throws: Command.Failure.self) { try await Command.sql("SELECT 1", at: url) }
        try await forwarder.open()
        #expect(try await Command.sql("SELECT 1", at: url) == "1")
        #expect(forwarder.bytesFromServer > 0)
        await forwarder.close()
    }

    @Test func theBrowserTypesClicksAndReads() async throws {
        let driver = try await WebDriver()
        do {
            let browser = try await driver.openBrowser()
            let page = "<input id=a><button id=b onclick=\"document.title = a.value; c.textContent = a.value\">x</button><p id=c>"
            try await browser.go("data:text/html;base64,\(Data(page.utf8).base64EncodedString())")
            try await browser.type("#a", "hi there")
            try await browser.click("#b")
            #expect(try await browser.texts("#c") == ["hi there"])
            #expect(try await browser.evaluate("return document.title") == "hi there")
            await #expect(throws: Browser.Failure.self) { try await browser.click("#absent") }
            await browser.close()
        } catch {
            await driver.end()
            throw error
        }
        await driver.end()
    }

    @Test func processesAreStoppedKilledAndRead() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(TestEnvironment.random("sparq-harness-"))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func shell(_ script: String) throws -> RunningProcess {
            try RunningProcess("sh", executable: "/bin/sh", arguments: ["-c", script], environment: ["WORD": "seen"], folder: folder)
        }
        let ended = try shell("echo $WORD >&2; exit 3")
        #expect(try await ended.end(within: .seconds(5)) == 3)
        #expect(ended.log.contains("seen"))
        let polite = try shell("trap 'exit 0' TERM; echo armed; while :; do sleep 0.05; done")
        try await eventually("the trap is set") { polite.log.contains("armed") }
        #expect(try await polite.stop() == 0)
        let doomed = try shell("sleep 60")
        try await doomed.killNow()
        #expect(doomed.status == Int32(128 + 9))
    }
}
