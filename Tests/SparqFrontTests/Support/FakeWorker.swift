import Foundation
import NIOConcurrencyHelpers
import SparqWire

/// One room with a log, and a few message types.
final class FakeWorker: Sendable {
    private struct State {
        var log: [String] = []
        var seen: [String] = []
        var lastLease: LeaseRequest?
        var isAway = false
    }

    private let state = NIOLockedValueBox(State())

    /// Types in the order in which they came.
    var seen: [String] { state.withLockedValue { $0.seen } }
    var lastLease: LeaseRequest? { state.withLockedValue { $0.lastLease } }

    /// Nothing is answered.
    func setAway(_ isAway: Bool) { state.withLockedValue { $0.isAway = isAway } }

    func answer(_ envelope: Envelope) -> [Delivery] {
        state.withLockedValue { state in
            guard !state.isAway else { return [] }
            state.seen.append(envelope.type)
            let message = Data(envelope.message)
            func done(_ data: String?, session: Done.SessionChange? = nil) -> Delivery {
                let re = envelope.id.map { "\"re\":\"\($0)\"," } ?? ""
                let reply = data.map { Array("{\(re)\"ok\":true,\"data\":\($0)}".utf8)[...] }
                return .done(Done(connection: envelope.connection ?? "", ordinal: envelope.ordinal, reply: reply, session: session))
            }
            func page(after: Int, version: Int, connection: String?) -> Delivery {
                let events = state.log.dropFirst(after).map { Array($0.utf8)[...] }
                return .page(
                    Page(
                        topic: "room",
                        after: after,
                        first: after + 1,
                        head: state.log.count,
                        version: version,
                        connection: connection,
                        events: events
                    )
                )
            }
            switch envelope.type {
            case SystemType.connect where envelope.user == "mallory":
                let reply = Array(#"{"ok":false,"error":{"code":"banned","message":"No."}}"#.utf8)
                return [.done(Done(connection: envelope.connection ?? "", ordinal: envelope.ordinal, reply: reply[...]))]
            case SystemType.connect, SystemType.disconnect: return [done(nil)]
            case SystemType.lease:
                state.lastLease = try? JSONDecoder().decode(LeaseRequest.self, from: message)
                return [.lease(.renewed)]
            case SystemType.sync:
                guard let request = try? JSONDecoder().decode(SyncRequest.self, from: message) else { return [] }
                return request.topics.map { page(after: $0.value, version: request.version, connection: nil) }
            case SystemType.read:
                guard let request = try? JSONDecoder().decode(ReadRequest.self, from: message) else { return [] }
                return [page(after: request.after, version: 0, connection: request.connection)]
            case SystemType.leave: return []
            case "subscribe":
                let grant = Grant(topic: "room", cursor: envelope.id.flatMap { Int($0) } ?? state.log.count, head: state.log.count)
                return [.subscribe(connection: envelope.connection ?? "", grants: [grant]), done("{}")]
            case "append":
                state.log.append("{\"seq\":\(state.log.count + 1)}")
                let event = Event(topic: "room", seq: state.log.count, body: Array((state.log.last ?? "").utf8)[...])
                return [.event(event), done("{}")]
            case "login": return [done(#"{"user":"alice"}"#, session: .begin(user: "alice"))]
            case "logout": return [done("{}", session: .end)]
            case "whoami": return [done("\"\(envelope.user ?? "nobody")\"")]
            case "later": return [.postponed(connection: envelope.connection ?? "", ordinal: envelope.ordinal)]
            // Done is also what was postponed before it.
            case "now":
                let reply = Array(#"{"re":"postponed","ok":true}"#.utf8)[...]
                return [done("{}"), .done(Done(connection: envelope.connection ?? "", ordinal: envelope.ordinal - 1, reply: reply))]
            case "silence": return []
            default:
                let reply = Array(#"{"ok":false,"error":{"code":"unknown_type","message":"No."}}"#.utf8)
                return [.done(Done(connection: envelope.connection ?? "", ordinal: envelope.ordinal, reply: reply[...]))]
            }
        }
    }
}
