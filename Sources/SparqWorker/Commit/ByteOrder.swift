#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Some texts in the order of their bytes, that of `COLLATE "C"`. A value without I/O.
///
/// They lie side by side in one buffer, so that comparing two is one call and touches no counter of references.
struct ByteOrder: Sendable {
    /// The places of the texts, the first of all first; equal ones in the order that they came in.
    private(set) var places: [Int]
    private let bytes: [UInt8]
    /// Where each text ends.
    private let ends: [Int]

    /// - Parameter write: Appends the text at a place.
    init(_ count: Int, _ write: (_ place: Int, _ bytes: inout [UInt8]) -> Void) {
        places = Array(0..<count)
        // Alone, as most often where little happens, there is nothing to compare.
        guard count > 1 else {
            (bytes, ends) = ([], [])
            return
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * 64)
        ends = places.map { place in
            write(place, &bytes)
            return bytes.count
        }
        self.bytes = bytes
        var places = places
        bytes.withUnsafeBytes { raw in
            // `sort` is stable.
            places.sort { Self.order(raw, range($0), range($1)) < 0 }
        }
        self.places = places
    }

    /// Whether a text is there twice.
    var hasTwins: Bool { zip(places, places.dropFirst()).contains { areEqual($0, $1) } }

    /// Whether two places have the same bytes.
    func areEqual(_ first: Int, _ second: Int) -> Bool {
        bytes.withUnsafeBytes { Self.order($0, range(first), range(second)) == 0 }
    }

    private func range(_ place: Int) -> Range<Int> { (place == 0 ? 0 : ends[place - 1])..<ends[place] }

    private static func order(_ bytes: UnsafeRawBufferPointer, _ first: Range<Int>, _ second: Range<Int>) -> Int {
        let shorter = min(first.count, second.count)
        guard shorter > 0, let start = bytes.baseAddress else { return first.count - second.count }
        let order = Int(memcmp(start + first.lowerBound, start + second.lowerBound, shorter))
        return order != 0 ? order : first.count - second.count
    }
}
