import Foundation
import Logging
import PlainHTTP
import SparqClient
import SparqWire

/// A user with a client whose events are all kept.
actor Person {
    let name: String
    let token: String
    let client: SparqClient
    private(set) var journal: [ClientEvent] = []
    private var running: Task<Void, any Error>?
    private var reading: Task<Void, Never>?

    static let password = "correct horse battery"

    /// Registers over HTTP and connects to the fronts, the first of them first.
    init(_ name: String, registeredAt front: Front, fronts: [Front]) async throws {
        try self.init(name, token: try await Self.register(name, at: front), fronts: fronts)
        start()
    }

    /// Registers over HTTP; returns the session's token. On a busy machine a hash may take longer than a test lets answers take: then it has
    /// registered all the same, or registers again.
    static func register(_ name: String, at front: Front) async throws -> String {
        try await eventually("\(name) is registered", within: .seconds(60)) {
            for type in ["auth.register", "auth.login"] {
                let answer = try await front.post(#"{"type":"\#(type)","id":"r","user":"\#(name)","password":"\#(password)"}"#)
                switch answer.status {
                case 409: continue
                case 503: return nil
                default:
                    guard let token = answer.cookies["sparq_session"] else {
                        throw TimedOut(description: "\(type) of \(name) answered \(answer.status): \(answer.text)")
                    }
                    return token
                }
            }
            return nil
        }
    }

    init(_ name: String, token: String, fronts: [Front], headers: [(name: String, value: String)] = []) throws {
        self.name = name
        self.token = token
        var configuration = ClientConfiguration(urls: fronts.map(\.socket), token: token.isEmpty ? nil : token)
        configuration.headers = headers
        configuration.seed = 0
        configuration.backoffCapMilliseconds = 1_000
        client = try SparqClient(configuration: configuration, logger: Logger(label: name, factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    func start() {
        let client = client
        running = Task { try await client.run() }
        reading = Task {
            for await event in client.events { note(event) }
        }
    }

    private func note(_ event: ClientEvent) { journal.append(event) }

    @discardableResult
    func send(_ type: String, _ fields: [String: String], deadline: Duration = .seconds(30)) async throws -> Reply {
        try await client.send(type, fields, deadline: deadline)
    }

    /// Subscribes from now on; a refused topic is an error.
    func subscribe(_ topics: String..., after cursor: Int? = nil) async throws {
        let wanted = Dictionary(uniqueKeysWithValues: topics.map { ($0, cursor) })
        for (topic, outcome) in try await client.subscribe(wanted) {
            if case .refused(let code) = outcome { throw TimedOut(description: "\(name) may not subscribe to \(topic): \(code)") }
        }
    }

    struct Said: Decodable, Equatable {
        var from: String
        var text: String
    }

    /// What was said in a topic, in the order of arrival.
    func heard(_ topic: String) -> [Said] {
        journal.compactMap { entry in
            guard case .event(let event) = entry, event.topic == topic, event.type.hasSuffix("message") else { return nil }
            return try? event.decode(Said.self)
        }
    }

    func seqs(_ topic: String) -> [Int] {
        journal.compactMap { if case .event(let event) = $0, event.topic == topic { event.seq } else { nil } }
    }

    /// The front that the client is on now.
    var node: String? {
        for case .connected(let welcome) in journal.reversed() { return welcome.node }
        return nil
    }

    func awaitHeard(_ topic: String, from: String, _ text: String) async throws {
        try await eventually("\(name) hears \"\(text)\" in \(topic)") { heard(topic).contains(Said(from: from, text: text)) }
    }

    /// What a correct server leaves at nothing.
    func faults() async -> [String] {
        let counters = await client.counters
        var faults: [String] = []
        if counters.repeated > 0 { faults.append("\(counters.repeated) repeated") }
        if counters.gaps > 0 { faults.append("\(counters.gaps) gaps") }
        if counters.malformed > 0 { faults.append("\(counters.malformed) malformed") }
        return faults
    }

    func leave() async {
        await client.close()
        _ = try? await running?.value
        await reading?.value
    }
}
