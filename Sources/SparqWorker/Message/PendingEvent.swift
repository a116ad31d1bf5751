/// A durable event that has no number yet, or an ephemeral one that gets none.
struct PendingEvent: Equatable, Sendable {
    var topic: String
    var type: String
    var data: ArraySlice<UInt8>
}
