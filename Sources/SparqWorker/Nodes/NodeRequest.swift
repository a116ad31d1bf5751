import FoundationEssentials
import SparqWire

/// A message that a node sends by itself.
struct NodeRequest: Sendable {
    enum Kind: Equatable, Sendable {
        case join(SyncRequest)
        case leave(LeaveRequest)
        case read(ReadRequest)
        case lease(LeaseRequest)
    }

    let envelope: Envelope
    let kind: Kind
    let batch: InboundBatch
    /// When it came to this worker.
    let arrived = ContinuousClock.now

    /// `nil` for messages of other types. Throws where the fields do not decode or name impossible topics.
    init?(_ envelope: Envelope, batch: InboundBatch) throws {
        switch envelope.type {
        case SystemType.sync: kind = .join(try Self.decode(envelope))
        case SystemType.leave: kind = .leave(try Self.decode(envelope))
        case SystemType.read: kind = .read(try Self.decode(envelope))
        case SystemType.lease: kind = .lease(try Self.decode(envelope))
        default: return nil
        }
        self.envelope = envelope
        self.batch = batch
        guard topics.allSatisfy({ Topic(rawValue: $0).isValid }) else { throw Refusal(.invalidFields, "There is no such topic.") }
    }

    private var topics: [String] {
        switch kind {
        case .join(let request): Array(request.topics.keys)
        case .leave(let request): request.topics
        case .read(let request): [request.topic]
        case .lease: []
        }
    }

    var changesDirectory: Bool {
        switch kind {
        case .join, .leave: true
        case .read, .lease: false
        }
    }

    /// How much work it is, about: topics.
    var weight: Int {
        switch kind {
        case .join(let request): max(1, request.topics.count)
        case .leave(let request): max(1, request.topics.count)
        case .read, .lease: 1
        }
    }

    /// Others need not wait for it: it is of many topics, or a leave, for which nobody waits.
    var isBulk: Bool {
        switch kind {
        case .join: weight > Self.smallJoin
        case .leave: true
        case .read, .lease: false
        }
    }

    /// Topics of a join that goes with the others: as many as a new subscriber may have.
    private static let smallJoin = 16

    private static func decode<Request: Decodable>(_ envelope: Envelope) throws -> Request {
        try MessageDecoder.decode(Request.self, from: envelope.message)
    }
}
