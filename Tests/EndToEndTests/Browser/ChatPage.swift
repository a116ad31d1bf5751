import Testing

/// The chat page, as a person uses it.
extension Browser {
    /// Makes an account, and waits until the page is connected.
    func register(_ name: String, at front: Front) async throws { try await register(name, at: front.http + "/") }

    func register(_ name: String, at page: String) async throws { try await enter("register", name, page) }

    /// Comes back to an account.
    func logIn(_ name: String, at page: String) async throws { try await enter("login", name, page) }

    private func enter(_ form: String, _ name: String, _ page: String) async throws {
        try await go(page)
        try await eventually("the login form is there") { try await evaluate("return document.body.dataset.view") == "login" }
        try await click("#tab-\(form)")
        try await type("#\(form)-user", name)
        try await type("#\(form)-password", Person.password)
        try await click("#\(form)-submit")
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
