/// A topic's name as a client wrote it, as its bytes. To hash and to compare texts that are not ASCII costs Swift many times as much, as it takes their
/// forms for equal; of a topic's name one form alone is right.
@usableFromInline package struct ExactName: Hashable, Comparable, Sendable {
    @usableFromInline package let text: String

    @inlinable package init(_ text: String) {
        var text = text
        text.makeContiguousUTF8()
        self.text = text
    }

    @inlinable package static func == (one: ExactName, other: ExactName) -> Bool {
        one.text.utf8.count == other.text.utf8.count && one.text.utf8.elementsEqual(other.text.utf8)
    }

    @inlinable package static func < (one: ExactName, other: ExactName) -> Bool { one.text.utf8.lexicographicallyPrecedes(other.text.utf8) }

    @inlinable package func hash(into hasher: inout Hasher) {
        _ = text.utf8.withContiguousStorageIfAvailable { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
