import Foundation
import PlainHTTP

/// chromedriver, started on a free port, and a few commands of the WebDriver protocol (W3C) over plain HTTP.
actor WebDriver {
    private let process: RunningProcess
    private let base: String
    let folder: URL
    private var browsers: [Browser] = []

    init() async throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(TestEnvironment.random("sparq-browser-"))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        process = try RunningProcess(
            "chromedriver",
            executable: "chromedriver",
            arguments: ["--port=0"],
            environment: [:],
            folder: folder
        )
        let process = process
        // It says: "… was started successfully on port 12345."
        let port: Int = try await eventually("chromedriver listens") {
            guard process.isRunning else { throw TimedOut(description: "chromedriver ended: \(process.log)") }
            return process.log.firstMatch(of: #/successfully on port (\d+)/#).flatMap { Int($0.1) }
        }
        base = "http://127.0.0.1:\(port)"
    }

    /// Runs `body`, and ends the browsers in any case.
    static func with(_ body: (WebDriver) async throws -> Void) async throws {
        let driver = try await WebDriver()
        do {
            try await body(driver)
        } catch {
            await driver.end()
            throw error
        }
        await driver.end()
    }

    /// A browser of its own: cookies and storage apart from every other.
    func openBrowser() async throws -> Browser {
        let profile = folder.appendingPathComponent(TestEnvironment.random("profile-")).path
        let arguments = [
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--user-data-dir=\(profile)",
            "--window-size=1200,900",
        ]
        let body = try JSONSerialization.data(withJSONObject: [
            "capabilities": ["alwaysMatch": ["browserName": "chrome", "goog:chromeOptions": ["args": arguments]]]
        ])
        let answer = try await HTTPExchange.request(
            "POST",
            base + "/session",
            headers: [(name: "Content-Type", value: "application/json")],
            body: [UInt8](body),
            timeout: .seconds(90)
        )
        let object = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
        guard let session = (object?["value"] as? [String: Any])?["sessionId"] as? String else {
            throw TimedOut(description: "no browser: \(answer.text.prefix(600))")
        }
        let browser = Browser(url: "\(base)/session/\(session)")
        browsers.append(browser)
        return browser
    }

    /// Ends the browsers too: without their driver they would live on.
    func end() async {
        for browser in browsers { await browser.close() }
        _ = try? await process.stop()
        try? FileManager.default.removeItem(at: folder)
    }
}
