import SparqWire

/// What becomes of a batch that is larger than the broker takes. Two batches of one connection may be worked on in any order, so what it has sent is
/// parted only where it must be.
extension Batch {
    private typealias Part = (line: ArraySlice<UInt8>, member: Member?)

    /// Two halves, cut between the messages of two connections; `nil` where all are of one.
    package var halves: (Batch, Batch)? {
        let all = parts
        func isInOne(_ place: Int) -> Bool {
            guard let before = all[place - 1].member, let behind = all[place].member else { return false }
            return before.connection == behind.connection
        }
        let middle = all.count / 2
        guard let cut = (1..<max(1, all.count)).filter({ !isInOne($0) }).min(by: { abs($0 - middle) < abs($1 - middle) }) else {
            return nil
        }
        return (batch(all[..<cut]), batch(all[cut...]))
    }

    /// The one message that it may be too large for, or else its first half, and the rest; `nil` where it has one message only.
    package var suspects: (Batch, rest: Batch, isOne: Bool)? {
        let all = parts
        guard all.count > 1 else { return nil }
        let largest = all.indices.max { all[$0].line.count < all[$1].line.count } ?? 0
        if all[largest].line.count * all.count > 2 * bytes.count {
            return (batch(all[largest...largest]), batch(all[..<largest] + all[(largest + 1)...]), true)
        }
        return (batch(all[..<(all.count / 2)]), batch(all[(all.count / 2)...]), false)
    }

    private var parts: [Part] {
        let members = Dictionary(uniqueKeysWithValues: zip(starts, members))
        return NDJSON.lines(bytes).map { ($0, members[$0.startIndex]) }
    }

    private func batch(_ parts: ArraySlice<Part>) -> Batch {
        var batch = Batch(reservingCapacity: parts.reduce(0) { $0 + $1.line.count + 1 })
        batch.wasTried = wasTried
        for (line, member) in parts { batch.append(line, member) }
        return batch
    }
}
