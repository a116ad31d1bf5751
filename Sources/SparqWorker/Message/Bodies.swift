import SparqWire

extension EventBody {
    /// An event from the log. What no front can read, or the broker does not take, comes without its data: it must not stop its topic.
    static func logged(
        type: String,
        topic: String,
        seq: Int,
        at: ArraySlice<UInt8>,
        data: ArraySlice<UInt8>
    ) -> ArraySlice<UInt8> {
        guard let flaw = DataLimits.flaw(data) else { return durable(type: type, topic: topic, seq: seq, at: at, data: data) }
        return omitted(type: type, topic: topic, seq: seq, at: at, flaw)
    }
}

extension ReplyBody {
    /// A handler's or the worker's "no".
    static func error(id: String?, _ refusal: Refusal) -> ArraySlice<UInt8> { error(id: id, ErrorBody(refusal)) }
}

extension ErrorBody {
    /// What a refusal says.
    init(_ refusal: Refusal) { self.init(refusal.code, refusal.message) }
}
