import Testing

/// The chat page, as a person uses it.
extension Browser {
    /// Makes an account, and waits until the page is connected.
    func register(_ name: String, at front: Front) async throws {
        try await go(front.http + "/")
        try await eventually("the login form is there") { try await evaluate("return document.body.dataset.view") == "login" }
        try await click("#tab-register")
        try await type("#register-user", name)
        try await type("#register-password", Person.password)
        try await click("#register-submit")
        try await eventually("\(name) is in: \(try await texts("#auth-error"))") { try await status() == "open" }
        #expect(try await texts("#me") == [name])
    }

    func status() async throws -> String { try await evaluate("return document.body.dataset.status") }

    func say(_ text: String) async throws {
        try await type("#message-input", text)
        try await click("#message-send")
    }

    func awaitConversation(_ key: String) async throws {
        try await eventually("\(key) is open") {
            try await evaluate("return document.querySelector('#conversation').dataset.key") == key
        }
    }

    func awaitText(_ text: String, from name: String) async throws {
        try await eventually("\(name) is read") {
            try await texts("#messages [data-seq][data-from=\"\(name)\"] .text").contains(text)
        }
    }
}
