import Foundation
import Synchronization

/// A user made for a bench. Only one: hashing a password is slow on purpose.
public struct BenchUser: Sendable {
    let name: String
    let token: String

    /// Registers a user with a random name.
    public init(at address: Address) throws {
        name = "bench-\(String(UInt64.random(in: 1 << 48..<1 << 49), radix: 36))"
        let password = String(UInt64.random(in: 1 << 63 ... .max), radix: 36)
        let reply = try HTTPCall(address: address).send(["type": "auth.register", "user": name, "password": password])
        guard let token = (reply["data"] as? [String: Any])?["token"] as? String else {
            throw BenchError("no token came with the new user")
        }
        self.token = token
    }

    /// Makes rooms whose only member is this user; several at once, because each takes a commit.
    func makeRooms(_ names: [String], at address: Address) throws {
        let call = HTTPCall(address: address, token: token)
        let callers = min(names.count, 16)
        let failure = Mutex<(any Error)?>(nil)
        let group = DispatchGroup()
        for caller in 0..<callers {
            group.enter()
            Thread.detachNewThread {
                defer { group.leave() }
                do {
                    for index in stride(from: caller, to: names.count, by: callers) {
                        _ = try call.send(["type": "room.create", "id": "make-\(names[index])", "room": names[index]])
                    }
                } catch {
                    failure.withLock { $0 = error }
                }
            }
        }
        group.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
