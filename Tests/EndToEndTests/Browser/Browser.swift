import Foundation
import PlainHTTP

/// One browser session.
struct Browser: Sendable {
    let url: String

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    @discardableResult
    private func command(_ method: String, _ path: String, _ body: String? = nil) async throws -> Data {
        let answer = try await HTTPExchange.request(
            method,
            url + path,
            headers: [(name: "Content-Type", value: "application/json")],
            body: Array((body ?? (method == "POST" ? "{}" : "")).utf8),
            timeout: .seconds(60)
        )
        guard answer.status == 200 else { throw Failure(description: "\(method) \(path): \(answer.text.prefix(400))") }
        return Data(answer.body)
    }

    private static func json(_ text: String) throws -> String { String(decoding: try JSONEncoder().encode(text), as: UTF8.self) }

    func go(_ page: String) async throws { try await command("POST", "/url", #"{"url":\#(try Self.json(page))}"#) }

    /// What a function's body returns, as text; an empty one for `null`.
    func evaluate(_ script: String) async throws -> String {
        struct Answer: Decodable { var value: String? }
        let body = #"{"script":\#(try Self.json(script)),"args":[]}"#
        return try JSONDecoder().decode(Answer.self, from: try await command("POST", "/execute/sync", body)).value ?? ""
    }

    private func element(_ selector: String) async throws -> String {
        struct Answer: Decodable { var value: [String: String] }
        let body = #"{"using":"css selector","value":\#(try Self.json(selector))}"#
        guard let id = try JSONDecoder().decode(Answer.self, from: try await command("POST", "/element", body)).value.values.first else {
            throw Failure(description: "no \(selector)")
        }
        return id
    }

    /// The page may draw a list anew between the look for the element and the click: then it is looked for once more.
    func click(_ selector: String) async throws {
        for _ in 0..<10 {
            do {
                try await command("POST", "/element/\(try await element(selector))/click")
                return
            } catch let failure as Failure where failure.description.contains("stale element reference") {}
        }
        throw Failure(description: "\(selector) does not stay long enough to be clicked")
    }

    func type(_ selector: String, _ text: String) async throws {
        let id = try await element(selector)
        try await command("POST", "/element/\(id)/clear")
        try await command("POST", "/element/\(id)/value", #"{"text":\#(try Self.json(text))}"#)
    }

    /// The texts of all elements that match, in the order of the page.
    func texts(_ selector: String) async throws -> [String] {
        let script = "return JSON.stringify([...document.querySelectorAll(\(try Self.json(selector)))].map(e => e.textContent))"
        return try JSONDecoder().decode([String].self, from: Data(try await evaluate(script).utf8))
    }

    func close() async { _ = try? await command("DELETE", "") }
}
