import SparqWire

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
