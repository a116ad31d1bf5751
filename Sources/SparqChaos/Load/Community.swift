import PlainHTTP
import SparqClient
import SparqWire

/// Registers the users and puts them into their rooms, over HTTP.
struct Community: Sendable {
    let settings: LoadSettings
    let urls: [String]
    /// Where the probes talk.
    static let probeRoom = "probe"

    /// Returns each user's session token.
    func found() async throws -> [String: String] {
        let deadline = ContinuousClock.now + .seconds(120)
        var names = (0..<settings.users).map { settings.user($0) }
        names.append("probe")
        names += (0..<settings.visitors).map { settings.visitor($0) }
        let tokens = try await withThrowingTaskGroup(of: (String, String).self) { group in
            var tokens: [String: String] = [:]
            for (index, name) in names.enumerated() {
                // Hashing passwords is meant to be slow: a few at a time.
                if index >= 4, let (name, token) = try await group.next() { tokens[name] = token }
                group.addTask { (name, try await register(name, index, deadline)) }
            }
            for try await (name, token) in group { tokens[name] = token }
            return tokens
        }
        var founded: Set<Int> = []
        for index in 0..<settings.users {
            for room in settings.rooms(ofUser: index) {
                let type = founded.insert(room).inserted ? "room.create" : "room.join"
                try await enter(type, settings.room(room), settings.user(index), tokens[settings.user(index)], index, deadline)
            }
        }
        try await enter("room.create", Self.probeRoom, "probe", tokens["probe"], 0, deadline)
        return tokens
    }

    private func register(_ name: String, _ index: Int, _ deadline: ContinuousClock.Instant) async throws -> String {
        let message = #"{"type":"auth.register","id":"r-\#(name)","user":"\#(name)","password":"a password of no importance"}"#
        let poster = Poster(token: nil, deadline: deadline)
        guard let answer = await poster.answer(Array(message.utf8), at: rotated(index)) else {
            throw ChaosError("\(name) could not register in time")
        }
        guard answer.status == 200, let token = answer.cookies["sparq_session"] else {
            throw ChaosError("auth.register of \(name) answered \(answer.status): \(answer.text)")
        }
        return token
    }

    /// Creates a room or joins it.
    func enter(
        _ type: String,
        _ room: String,
        _ user: String,
        _ token: String?,
        _ index: Int,
        _ deadline: ContinuousClock.Instant
    ) async throws {
        let message = #"{"type":"\#(type)","id":"e-\#(room)","room":"\#(room)"}"#
        let answer = await Poster(token: token, deadline: deadline).answer(Array(message.utf8), at: rotated(index))
        guard let answer, answer.status == 200 else {
            throw ChaosError("\(type) of \(room) by \(user) answered \(answer?.status ?? 0): \(answer?.text ?? "nothing")")
        }
    }

    private func rotated(_ index: Int) -> [String] { Array(urls[(index % urls.count)...] + urls[..<(index % urls.count)]) }
}
