import Logging
import SparqWire

/// Reads the lines of an AMQP message. What nodes send by themselves goes to its own stage; what cannot be read, to the dead letters.
struct InboundLines: Sendable {
    let nodeRequests: BatchQueue<NodeRequest>
    let nodeTimes: NodeTimes
    let failed: FailedMessages
    let logger: Logger

    /// The messages of a batch, without what nodes send by themselves.
    ///
    /// - Parameter group: where what cannot be read is put aside, so that the others need not wait for it.
    func read(_ body: [UInt8], _ batch: InboundBatch, _ group: inout DiscardingTaskGroup) -> [Envelope] {
        var envelopes: [Envelope] = []
        for line in NDJSON.lines(body) {
            do {
                let envelope = try Envelope(line: line)
                guard let request = try NodeRequest(envelope, batch: batch) else {
                    envelopes.append(envelope)
                    continue
                }
                nodeTimes.note(envelope)
                batch.begin()
                if !nodeRequests.add(request, weight: request.weight, isBulk: request.isBulk) { batch.abandon() }
            } catch {
                bury(line, error, batch, &group)
            }
        }
        return envelopes
    }

    private func bury(_ line: ArraySlice<UInt8>, _ error: any Error, _ batch: InboundBatch, _ group: inout DiscardingTaskGroup) {
        logger.error("a line of a batch is malformed", metadata: ["error": "\(error)"])
        batch.begin()
        group.addTask {
            if await failed.bury(line: line, error) == .dead { batch.finish() } else { batch.abandon() }
        }
    }
}

/// Sorts a batch's messages by what must run in order: those of one connection. What nodes send by themselves stands alone.
enum ConnectionGroups {
    static func make(_ envelopes: [Envelope]) -> [[Envelope]] {
        guard envelopes.count > 1 else { return envelopes.isEmpty ? [] : [envelopes] }
        var groups: [[Envelope]] = []
        var indices: [String: Int] = [:]
        for envelope in envelopes {
            guard let connection = envelope.connection else {
                groups.append([envelope])
                continue
            }
            if let index = indices[connection] {
                groups[index].append(envelope)
            } else {
                indices[connection] = groups.count
                groups.append([envelope])
            }
        }
        return groups
    }
}
